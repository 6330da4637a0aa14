// Errors of a hit's local position in micrometres, by length of the cluster (1, 2, ... pixels; the last entry
// holds for longer ones too) and region: 0 barrel layer 1, 1 other barrel, 2 disc. x: along rows (100 um
// pitch); y: along columns (150 um). Standard deviations of the residuals to simulated crossings of particles
// from the beam region above 0.6 GeV, within 5 half-widths of the middle 68 % (20 events of seed 1 at pile-up
// 50). Clusters that are long along x are those of knock-on electrons. CMSSW's PixelCPEFast has 8.8 to 20
// along x, 21 to 37.5 along y.
SITECAP_ERRORS_X(0, 22, 7.2f, 33, 94, 142, 180, 246, 480)
SITECAP_ERRORS_X(1, 15, 8.9f, 30, 98, 158, 195, 246, 490)
SITECAP_ERRORS_X(2, 12, 6.8f, 55, 110, 159, 199, 246, 475)
SITECAP_ERRORS_Y(0, 37, 22, 22, 22, 22, 21, 23, 21)
SITECAP_ERRORS_Y(1, 39, 20, 20, 20, 20, 20, 20, 20)
SITECAP_ERRORS_Y(2, 25, 11, 70, 173, 248, 300, 400, 600)
