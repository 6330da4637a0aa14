// Errors of a hit's local position in micrometres, by length of the cluster (1, 2, ... pixels; the last entry holds for
// longer ones too) and region: 0 barrel layer 1, 1 other barrel, 2 disc. x: along rows (100 um pitch); y: along columns
// (150 um). Standard deviations of the residuals to simulated crossings of particles from the beam region above 0.6 GeV,
// within 5 half-widths of the middle 68 % (20 events of seed 1 at pile-up 50). Clusters that are long along x are
// those of knock-on electrons. CMSSW's PixelCPEFast has 8.8 to 20 along x, 21 to 37.5 along y.
SITECAP_ERRORS_X(0, 21, 7, 33, 94, 142, 180, 246, 480)
SITECAP_ERRORS_X(1, 15, 8.4f, 28, 100, 150, 187, 246, 480)
SITECAP_ERRORS_X(2, 12, 6.4f, 53, 107, 160, 183, 246, 480)
SITECAP_ERRORS_Y(0, 37, 21, 20, 21, 22, 21, 23, 21)
SITECAP_ERRORS_Y(1, 38, 20, 20, 20, 19, 19, 20, 19)
SITECAP_ERRORS_Y(2, 26, 11, 57, 174, 246, 300, 400, 600)
