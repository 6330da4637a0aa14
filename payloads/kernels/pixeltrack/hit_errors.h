// Errors of a hit's local position in micrometres, by length of the cluster (1, 2, ... pixels; the last entry holds for
// longer ones too). x: along rows (100 um pitch); y: along columns (150 um).
// Root mean square of residuals to the simulated crossing, cut at 5 of them; found by tests/... on the set that
// README.md names. In CMSSW's PixelCPEFast: 8.8-20 um along x, 21-37.5 um along y.
SITECAP_ERRORS_X(0, 12, 12, 12, 20, 20, 20, 20, 20)
SITECAP_ERRORS_X(1, 12, 12, 12, 20, 20, 20, 20, 20)
SITECAP_ERRORS_X(2, 20, 20, 20, 20, 20, 20, 20, 20)
SITECAP_ERRORS_Y(0, 38, 23, 25, 25, 23, 23, 21, 21)
SITECAP_ERRORS_Y(1, 38, 23, 25, 25, 23, 23, 21, 21)
SITECAP_ERRORS_Y(2, 21, 21, 21, 21, 21, 21, 21, 21)
