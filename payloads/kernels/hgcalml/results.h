// What the kernel tells of an event, wherever it ran. Host only.
#pragma once
#include "host/found.h"
#include "kernels/hgcalml/stages.h"

namespace sitecap::hgcalml {

struct Found {
  i32 count;             // of tracksters with an answer
  const i32* trackster;  // of each answer
  Answers answers;

  template <class Visit>
  void each_column(const Visit& visit) {
    static const char* const names[] = {"answer_photon", "answer_electron", "answer_charged_hadron",
                                        "answer_neutral_hadron", "answer_ambiguous"};
    visit("answer_trackster", trackster, count);
    for (i32 k = 0; k < classes; ++k) visit(names[k], answers.probability[k], count);
    visit("answer_correction", answers.correction, count);
    visit("answer_energy", answers.energy_gev, count);
  }
};

}  // namespace sitecap::hgcalml
