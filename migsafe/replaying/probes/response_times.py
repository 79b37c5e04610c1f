"""Response times of queries: percentiles, and what of them is noise."""

from collections.abc import Iterable, Sequence

from migsafe.replaying.recording.records import ResponseTimes

NOISE_MS = 5.0
"""Shorter response times are noise, whatever the queries took before the migration."""
_BASELINE_FACTOR = 5.0


def summary(samples: Iterable[float]) -> ResponseTimes:
    """Returns the percentiles of response times in milliseconds."""
    times = sorted(samples)
    if not times:
        return ResponseTimes()
    return ResponseTimes(p50=percentile(times, 0.5), p99=percentile(times, 0.99), slowest=times[-1], probes=len(times))


def percentile(times: Sequence[float], share: float) -> float:
    """Returns a percentile of sorted values."""
    return times[min(int(share * len(times)), len(times) - 1)]


def noise_ms(before: Iterable[float]) -> float:
    """Returns the longest response time that those before the migration explain, all in milliseconds."""
    times = summary(before)
    return max(NOISE_MS, _BASELINE_FACTOR * times.p99, times.slowest)
