//! The parts of a window that some priorities may use at most, apart from what each leaves to higher ones.

/// The share for polls: at most half of a window.
pub(super) const fn poll_share(limit: usize) -> usize {
    if limit < 4 { 1 } else { limit / 2 }
}

/// The share of a minute for the requests that Droplets which are off wait for, so that looks delay no `power_on`.
pub(super) const fn off_share(limit: usize) -> usize {
    let share = limit * 6 / 10;
    if share == 0 { 1 } else { share }
}

/// The share of a minute for turning on Droplets without a look.
pub(super) const fn blind_share(limit: usize) -> usize {
    let share = limit / 5;
    if share == 0 { 1 } else { share }
}

/// The share of a minute for beginning downtimes, so that these do not all end simultaneously.
pub(super) const fn shutdown_share(limit: usize) -> usize {
    let share = limit / 5;
    if share < 2 { 2 } else { share }
}

/// The part of the share for beginnings that the looks before a shutdown may use. The rest is for the shutdowns themselves: if a shutdown
/// cannot follow its look immediately, that look becomes too old and has to be repeated.
pub(super) const fn look_share(limit: usize) -> usize {
    shutdown_share(limit) * 2 / 3
}
