"""The final fit as mkfit should do it: a Kalman filter and smoother in double precision.

A forward filter from the innermost hit with a wide start and the smoother of H. E. Rauch et al. (AIAA Journal 3 (1965)
1445) back to it. Nothing is shared with the C++: five local parameters on the plane of each hit, Newton's method to
reach the next plane, Jacobians by differences; mkfit filters inwards with six global ones, closed forms and an analytic
Jacobian.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array, Arrays, as_float64

Float = npt.NDArray[np.float64]

BENDING = 0.00299792458 * 3.8  # GeV per cm
PION_MASS2 = 0.13957**2
PIPE_CM, PIPE_LENGTHS = 2.2, 0.0023
_STEPS = np.array([1e-4, 1e-4, 1e-5, 1e-6, 1e-6])  # of the differences: cm, cm, 1/GeV, rad, rad


def turned(state: Float, path: Float) -> Float:
    """States (…, 7: x, y, z, 1/pT, phi, theta, charge) after a transverse length of path in cm."""
    curvature = -BENDING * state[..., 6] * state[..., 3]
    phi = state[..., 4] + curvature * path
    half = 0.5 * curvature * path
    chord = path * np.sinc(half / np.pi)
    moved = state.copy()
    moved[..., 0] += chord * np.cos(state[..., 4] + half)
    moved[..., 1] += chord * np.sin(state[..., 4] + half)
    moved[..., 2] += path / np.tan(state[..., 5])
    moved[..., 4] = phi
    return moved


def direction(state: Float) -> Float:
    """Change of the position by transverse path, (…, 3)."""
    return np.stack([np.cos(state[..., 4]), np.sin(state[..., 4]), 1 / np.tan(state[..., 5])], axis=-1)


def to_plane(state: Float, origin: Float, normal: Float) -> Float:
    """States where they cross a plane, by Newton's method on the length of path."""
    path = np.zeros(state.shape[:-1])
    for _ in range(6):
        moved = turned(state, path)
        path = path - ((moved[..., :3] - origin) @ normal) / (direction(moved) @ normal)
    return turned(state, path)


def after_loss(state: Float, x: Float | float, sign: float) -> Float:
    """States after the mean loss of energy in ``x`` radiation lengths (sign -1: against the flight)."""
    p2 = (1 / (state[..., 3] * np.sin(state[..., 5]))) ** 2
    beta2 = p2 / (p2 + PION_MASS2)
    log = 0.5 * np.log(p2 / PION_MASS2)
    bracket = 8.6838 + 2 * log - beta2 - np.maximum(log - 2.2177, 0)
    energy = np.sqrt(p2 + PION_MASS2) - sign * 3.336e-3 * x / beta2 * bracket
    left = state.copy()
    left[..., 3] *= np.sqrt(p2 / np.maximum(energy**2 - PION_MASS2, 0.01 * p2))
    return left


def after_material(state: Float, lengths: float, normal: Float, sign: float) -> Float:
    """States after a layer of ``lengths`` radiation lengths of normal incidence."""
    unit = direction(state) * np.sin(state[..., 5])[..., None]
    return after_loss(state, lengths / np.abs(unit @ normal), sign)


def scattering_angle2(state: Float, x: Float) -> Float:
    """Variance of the projected angle in ``x`` radiation lengths (Highland), rad2."""
    p2 = (1 / (state[..., 3] * np.sin(state[..., 5]))) ** 2
    angle2: Float = (0.0136 * (1 + 0.038 * np.log(x))) ** 2 * x * (p2 + PION_MASS2) / p2**2
    return angle2


def scattering(state: Float, lengths: float, normal: Float) -> Float:
    """Covariance (5, 5) that multiple scattering in a layer adds to local parameters."""
    theta, inverse_pt = state[5], state[3]
    angle2 = scattering_angle2(state, lengths / np.abs(direction(state) @ normal * np.sin(theta)))
    kick = np.array([0, 0, -inverse_pt / np.tan(theta), 0, 1.0])
    noise: Float = angle2 * np.outer(kick, kick)
    noise[3, 3] += angle2 / np.sin(theta) ** 2
    return noise


class Plane:
    """The plane of one hit: origin, axes t and l, normal."""

    def __init__(self, point: Float, *, is_disc: bool) -> None:
        self.origin = point
        u = np.array([point[0], point[1], 0.0]) / np.hypot(point[0], point[1])
        self.t = np.array([-u[1], u[0], 0.0])
        z = np.array([0.0, 0.0, 1.0])
        self.l: Float = u if is_disc else z
        self.normal: Float = z if is_disc else u

    def local(self, state: Float) -> Float:
        """(…, 7) to (…, 5): t, l in cm, 1/pT, phi, theta."""
        offset = state[..., :3] - self.origin
        return np.concatenate(
            [np.stack([offset @ self.t, offset @ self.l], axis=-1), state[..., 3:6]], axis=-1
        )

    def state(self, local: Float, charge: float) -> Float:
        """(…, 5) to (…, 7)."""
        position = self.origin + local[..., :1] * self.t + local[..., 1:2] * self.l
        return np.concatenate([position, local[..., 2:], np.full((*local.shape[:-1], 1), charge)], axis=-1)


def _jacobian(move: object, local: Float) -> tuple[Float, Float]:
    points = np.concatenate([local[None], local + np.diag(_STEPS), local - np.diag(_STEPS)])
    moved: Float = move(points)  # type: ignore[operator]
    return moved[0], ((moved[1:6] - moved[6:11]) / (2 * _STEPS[:, None])).T


def smooth(event: Arrays, hits: Array, start: Float) -> tuple[Float, Float, float]:
    """State (x, y, z, 1/pT, phi, theta) and local covariance (5, 5) of a track at its point nearest to the beam line, and chi2.

    Args:
        event: columns of section ``tracker`` for one event.
        hits: indices of its hits, from inside to outside.
        start: (7,) a state near the innermost hits; only the point of linearisation.
    """
    layer = event["hit_layer"][hits]
    points = np.stack([as_float64(event[f"hit_{axis}"])[hits] for axis in "xyz"], axis=-1)
    discs = event["layer_is_disc"][layer] != 0
    lengths = as_float64(event["layer_radiation_lengths"])[layer]
    lengths = np.where(np.append(True, layer[1:] != layer[:-1]), lengths, 0.0)  # once a layer
    planes = [Plane(point, is_disc=bool(is_disc)) for point, is_disc in zip(points, discs, strict=True)]
    charge = float(start[6])
    predicted = planes[0].local(to_plane(start, planes[0].origin, planes[0].normal))
    covariance = np.diag([1.0, 10.0, 0.5, 0.3, 0.3]) ** 2
    kept: list[tuple[Float, Float, Float, Float, Float]] = []
    jacobian = np.eye(5)
    chi2 = 0.0
    for k, plane in enumerate(planes):
        if k > 0:
            before = planes[k - 1]

            def move(local: Float, before: Plane = before, plane: Plane = plane, k: int = k) -> Float:
                state = to_plane(before.state(local, charge), plane.origin, plane.normal)
                return plane.local(
                    after_material(state, lengths[k], plane.normal, 1.0) if lengths[k] > 0 else state
                )

            predicted, jacobian = _jacobian(move, kept[-1][2])
            covariance = jacobian @ kept[-1][3] @ jacobian.T
            if lengths[k] > 0:
                covariance = covariance + scattering(plane.state(predicted, charge), lengths[k], plane.normal)
        cov_tt, cov_tl, cov_ll = (
            float(event[f"hit_covariance_{name}"][hits[k]]) for name in ("tt", "tl", "ll")
        )
        inverse = np.linalg.inv(covariance[:2, :2] + np.array([[cov_tt, cov_tl], [cov_tl, cov_ll]]))
        chi2 += float(predicted[:2] @ inverse @ predicted[:2])
        gain = covariance[:, :2] @ inverse
        filtered = predicted - gain @ predicted[:2]
        kept.append((predicted, covariance, filtered, covariance - gain @ covariance[:2, :], jacobian))
    mean, spread = kept[-1][2], kept[-1][3]
    for k in range(len(kept) - 2, -1, -1):
        ahead_mean, ahead_covariance, _, _, jacobian = kept[k + 1]
        gain = kept[k][3] @ jacobian.T @ np.linalg.inv(ahead_covariance)
        mean = kept[k][2] + gain @ (mean - ahead_mean)
        spread = kept[k][3] + gain @ (spread - ahead_covariance) @ gain.T
    return (*_to_beam_line(planes[0], mean, spread, charge, float(lengths[0])), chi2)


def _to_beam_line(
    plane: Plane, mean: Float, spread: Float, charge: float, lengths: float
) -> tuple[Float, Float]:
    """Through the innermost layer's material and the beam pipe to the nearest point."""
    state = plane.state(mean, charge)
    spread = spread + scattering(state, lengths, plane.normal)
    for_pipe = state
    for _ in range(8):
        radius = np.hypot(for_pipe[0], for_pipe[1])
        u = for_pipe[:3] * np.array([1, 1, 0]) / radius
        for_pipe = turned(for_pipe, -(radius - PIPE_CM) / (direction(for_pipe) @ u))
    u = np.array([for_pipe[0], for_pipe[1], 0.0]) / PIPE_CM
    pipe = Plane(for_pipe[:3], is_disc=False)

    def inwards(local: Float) -> Float:
        left = after_material(plane.state(local, charge), lengths, plane.normal, -1.0)
        return pipe.local(to_plane(left, pipe.origin, pipe.normal))

    mean, jacobian = _jacobian(inwards, mean)
    at_pipe = pipe.state(mean, charge)
    spread = jacobian @ spread @ jacobian.T + scattering(at_pipe, PIPE_LENGTHS, pipe.normal)
    nearest = after_material(at_pipe, PIPE_LENGTHS, pipe.normal, -1.0)
    for _ in range(8):
        nearest = turned(nearest, -(nearest[:2] @ direction(nearest)[:2]))
    across = Plane(nearest[:3], is_disc=False)
    across.normal = np.array([np.cos(nearest[4]), np.sin(nearest[4]), 0.0])
    across.t = np.array([-across.normal[1], across.normal[0], 0.0])

    def last(local: Float) -> Float:
        left = after_material(pipe.state(local, charge), PIPE_LENGTHS, pipe.normal, -1.0)
        return across.local(to_plane(left, across.origin, across.normal))

    mean, jacobian = _jacobian(last, mean)
    return across.state(mean, charge)[:6], jacobian @ spread @ jacobian.T
