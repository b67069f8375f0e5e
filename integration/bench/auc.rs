//! Whether two sets of times can be told apart: the area under the ROC curve.

use std::cmp::Ordering;

/// What an attacker must not reach.
pub const MOST: f64 = 0.57;

/// The chance that one of the first is later than one of the second, or the other way round if that is greater.
pub fn auc(one: &[f64], other: &[f64]) -> f64 {
    let win = |a: &f64, b: &f64| match a.total_cmp(b) {
        Ordering::Greater => 1.0,
        Ordering::Equal => 0.5,
        Ordering::Less => 0.0,
    };
    let wins = one.iter().flat_map(|a| other.iter().map(move |b| win(a, b)));
    let chance = wins.sum::<f64>() / (one.len() * other.len()) as f64;
    chance.max(1.0 - chance)
}

/// The greatest of any pair.
pub fn worst(times: &[Vec<f64>]) -> f64 {
    let pairs = (0..times.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
    pairs.map(|(one, other)| auc(&times[one], &times[other])).fold(0.5, f64::max)
}
