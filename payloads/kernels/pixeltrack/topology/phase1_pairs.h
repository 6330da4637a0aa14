// Layer pairs of the phase-1 pixel detector: CMSSW,
// Geometry/CommonTopologies/interface/SimplePixelTopology.h. Layers 0-3 barrel, 4-6 forward discs, 7-9
// backward discs. Triplets begin where CAHitNtupletGeneratorKernels lets them (all pairs but 8 to 12). inner
// layer, outer layer; phi cut (2 pi / 65536); inner hit's least and greatest z (barrel) or r (disc), cm;
// outer hit's; least and greatest dz, dr at most, cm; whether a quadruplet and whether a triplet may begin
// here. from barrel layer 1
SITECAP_PAIR(0, 1, 522, -20, 20, -100, 100, -100, 100, 20, 1, 1)
SITECAP_PAIR(0, 4, 730, 0, 30, -100, 100, -100, 100, 9, 1, 1)
SITECAP_PAIR(0, 7, 730, -30, 0, -100, 100, -100, 100, 9, 1, 1)
// from barrel layer 2
SITECAP_PAIR(1, 2, 522, -22, 22, -100, 100, -100, 100, 20, 0, 1)
SITECAP_PAIR(1, 4, 626, 10, 30, -100, 100, -100, 100, 7, 0, 1)
SITECAP_PAIR(1, 7, 626, -30, -10, -100, 100, -100, 100, 7, 0, 1)
// from disc 1
SITECAP_PAIR(4, 5, 522, -70, 70, -100, 100, -100, 100, 5, 0, 1)
SITECAP_PAIR(7, 8, 522, -70, 70, -100, 100, -100, 100, 5, 0, 1)
// from barrel layer 3 and disc 2
SITECAP_PAIR(2, 3, 626, -22, 22, -100, 100, -100, 100, 20, 0, 0)
SITECAP_PAIR(2, 4, 626, 15, 30, -100, 100, -100, 100, 6, 0, 0)
SITECAP_PAIR(2, 7, 626, -30, -15, -100, 100, -100, 100, 6, 0, 0)
SITECAP_PAIR(5, 6, 522, -70, 70, -100, 100, -100, 100, 5, 0, 0)
SITECAP_PAIR(8, 9, 522, -70, 70, -100, 100, -100, 100, 5, 0, 0)
// over one layer
SITECAP_PAIR(0, 2, 522, -20, 20, -100, 100, -100, 100, 20, 0, 1)
SITECAP_PAIR(1, 3, 522, -22, 22, -100, 100, -100, 100, 20, 0, 1)
SITECAP_PAIR(0, 5, 522, 0, 30, -100, 100, -100, 100, 9, 0, 1)
SITECAP_PAIR(0, 8, 522, -30, 0, -100, 100, -100, 100, 9, 0, 1)
SITECAP_PAIR(4, 6, 522, -70, 70, -100, 100, -100, 100, 9, 0, 1)
SITECAP_PAIR(7, 9, 522, -70, 70, -100, 100, -100, 100, 9, 0, 1)
