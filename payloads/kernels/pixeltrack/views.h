// Where the numbers of one event lie: plain pointers, on a CPU and on a GPU alike.
#pragma once
#include "kernels/pixeltrack/topology.h"
#include "sitecap/lanes.h"

namespace sitecap::pixeltrack {

// Fired pixels, ordered by module.
struct Digis {
  const u16 *module, *row, *column, *adc;
  i32 count;
};

// Of digis, while they are being clustered.
struct ClusterWork {
  i32* parent;     // [digis] first digi of its cluster, once flattened
  i32* electrons;  // [digis] of the cluster, at its first digi
  i32* position;   // [digis] column << 16 | row, in order of column buckets
  i32* order;      // [digis] digi at that place
};
SITECAP_CONST int bucket_shift = 2;  // 4 columns a bucket
SITECAP_CONST int max_column_buckets = 256;

// Clusters in order of module, then of their first digi.
struct Clusters {
  i32 *module, *electrons, *digis;
  i32 *min_row, *max_row, *min_column, *max_column;
  i32 *first_row_electrons, *last_row_electrons;  // in the outermost rows and columns
  i32 *first_column_electrons, *last_column_electrons;
};

// Modules: centre 0-2, local axes x 3-5, y 6-8, normal 9-11 (global); 12 and 13 what
// to add along x and y to where charge is collected, to undo half the drift across the thickness 14 (cm).
struct Frames {
  const float* frame;   // [modules * frame_size]
  const i32* layer;     // [modules]
  const float* matter;  // [modules] radiation lengths of its layer, at normal incidence
  const i32* region;    // [modules] of the table of errors: 0 barrel layer 1, 1 other barrel, 2 disc
  i32 modules;
};

struct Hits {
  float *x, *y, *z, *r;  // cm, global
  float *var_x, *var_y;  // cm^2, local
  i32* phi;              // 2 pi / 65536, [-32768, 32767]
  i32* length;           // of the cluster along local y, eighths of a pixel; negative at a module's edge
  i32 *module, *cluster;
};

// Pairs of hits, in order of the outer hit.
struct Doublets {
  i32 *inner, *outer, *pair;
  float *inner_x, *inner_y, *inner_z, *inner_r;  // copies: the next stage reads them side by side
  u8* flags;
  i32* of_outer;  // [hits + 1] where those of an outer hit start
};
SITECAP_CONST u8 flag_used = 1;       // has a neighbour
SITECAP_CONST u8 flag_killed = 2;     // another one means the same
SITECAP_CONST u8 flag_continued = 4;  // has an outer neighbour that lives

// Links from each doublet to compatible ones that end where it begins.
struct Links {
  i32* start;  // [doublets + 1]
  i32* inner;  // doublet
};

struct Tuples {
  i32* start;    // [tuples + 1], of both lists below
  i32* hit;      // from the beam outwards
  i32* doublet;  // one fewer; the last place is unused
};

// Of an event.
struct Counts {
  i32 clusters, doublets, links, tuples, tuple_hits;
  i32 doublets_over, links_over, tuples_over;  // what there was no room for, at least
};

enum Quality : i32 { quality_shorter = 0, quality_bad_fit = 1, quality_duplicate = 2, quality_good = 3 };

// Parameters at the point of closest approach to the z axis.
struct Tracks {
  float *pt, *phi, *tip, *zip, *cot;  // GeV, radians, cm, cm, 1; tip = -x sin(phi) + y cos(phi)
  float *pt_error, *phi_error, *tip_error, *zip_error, *cot_error;
  float* chi2;  // of 2 n - 5 degrees of freedom
  i32 *charge, *quality;
};

}  // namespace sitecap::pixeltrack
