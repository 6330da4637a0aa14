// Where the numbers of one event lie: plain pointers, on a CPU and on a GPU alike.
#pragma once
#include "kernels/catracks/settings.h"

namespace sitecap::catracks {

// One row a module.
SITECAP_CONST int frame_size =
    16;  // local x 0-2, local y 3-5, normal 6-8, gap 9, half a cell along y 10-12 (cm)
struct Modules {
  const float* frame;     // [modules * frame_size]
  const i32* layer;       // [modules]
  const i32* has_pixels;  // [modules]
  i32 count;
};

// Sorted by module and sensor.
struct Hits {
  const float *x, *y, *z;  // cm
  const u16* module;
  const u8* sensor;
  i32 count;
  i32* sensor_start;  // [2 * modules + 1]
};

// Mini-doublets; the point is the lower hit's.
struct Doublets {
  i32 *lower, *upper;  // hits
  i32 *layer, *has_pixels;
  float *x, *y, *z, *r, *phi;
  float* angle;                        // between its direction and the radius, as seen along the beam
  float *along_x, *along_y, *along_z;  // half a cell's length, as a vector (z: its size)
  float* step;                         // its length across the beam, cm
  float *window, *curl;                // slope and slack of a track of the least pT; path by radius of one
  float *own2, *luminous2;             // squares of the angle's error: resolution; where the track comes from
};

// Cells to look for mini-doublets in: of a layer, and a side for discs, by z (barrel) or radius; 64 bins of
// phi each.
SITECAP_CONST int barrel_rows = 24, disc_rows = 12, phi_bins = 64;
SITECAP_CONST int barrel_cells = barrel_layers * barrel_rows;
SITECAP_CONST int cells = barrel_cells + (layers - barrel_layers) * 2 * disc_rows;
SITECAP_CONST float barrel_row_cm = 10.2f, barrel_begin_cm = -122.4f, disc_row_cm = 7.5f,
                    disc_begin_cm = 21.f;

// Where the sensors of a layer lie (|z| for discs), from the modules; windows of phi of each cell.
struct Layout {
  float r_min[layers], r_max[layers], z_min[layers], z_max[layers];
  float along_z_max[layers], along_r_max[layers];
  float curl_max[layers];
  float cell_window[cells];
};

// Lists in which each part has its own range: start [parts + 1].
struct Segments {
  i32 *inner, *outer;  // mini-doublets
  i32* start;          // of those that begin with a mini-doublet
};
struct Triplets {
  i32 *inner, *outer;  // segments
  i32* start;          // of those that begin with a segment
};

struct Quintuplets {
  i32 *inner, *outer;                        // triplets
  i32* point;                                // [5 each] mini-doublets from inside to outside
  float *curvature, *direction, *cotangent;  // 1/cm (positive turns left), radians and 1, at the first point
  float *chi2_bend, *chi2_rz;
};

// Columns of tracks at the point where they are closest to the beam line.
struct Tracks {
  float *pt_gev, *phi, *cotangent, *impact_cm;
  i32* charge;
};

// How many there are of each.
struct Counts {
  i32 hits = 0, doublets = 0, segments = 0, triplets = 0, quintuplets = 0, tracks = 0;
  // there was no room for
  i32 doublets_over = 0, segments_over = 0, triplets_over = 0, quintuplets_over = 0;
  i32 pairs_of_segments = 0, pairs_of_triplets = 0;  // looked at
  i32 quintuplet_points = 0, path_points = 0;
};

}  // namespace sitecap::catracks
