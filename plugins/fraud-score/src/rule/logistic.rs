//! From log-odds to a score between 0 and 1000, in whole numbers.

use super::ONE;

/// The logistic function at 0, 1/4, 2/4, … 8, in 65536ths. Below 0 it is the mirror image, and between two entries a
/// straight line is less than one thousandth off.
const CURVE: [i32; 33] = [
    32_768, 36_843, 40_793, 44_511, 47_911, 50_941, 53_581, 55_834, 57_724, 59_287, 60_565, 61_598, 62_428,
    63_090, 63_615, 64_030, 64_357, 64_614, 64_816, 64_974, 65_097, 65_194, 65_269, 65_328, 65_374, 65_410,
    65_438, 65_459, 65_476, 65_489, 65_500, 65_508, 65_514,
];

/// The distance of two entries, in 65536ths.
const STEP: i32 = ONE / 4;

/// The score for log-odds in 65536ths.
pub(super) fn per_mille(log_odds: i32) -> u16 {
    let distance = log_odds.saturating_abs().min(8 * ONE - 1);
    let position = usize::try_from(distance / STEP).unwrap_or_default();
    let below = CURVE.get(position).copied().unwrap_or(ONE);
    let above = CURVE.get(position + 1).copied().unwrap_or(ONE);
    let likely = below + (above - below) * (distance % STEP) / STEP;
    let share = if log_odds < 0 { ONE - likely } else { likely };
    u16::try_from((share * 1000 + ONE / 2) / ONE).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_within_a_thousandth_of_the_true_curve_and_rises() {
        let mut last = 0;
        for log_odds in (-10 * ONE..10 * ONE).step_by(997) {
            let score = per_mille(log_odds);
            let odds = f64::from(log_odds) / f64::from(ONE);
            let exact = 1000.0 / (1.0 + (-odds).exp());
            assert!(
                (f64::from(score) - exact).abs() <= 1.6,
                "{log_odds}: {score} for {exact}"
            );
            assert!(score >= last);
            last = score;
        }
    }

    #[test]
    fn the_ends_stay_on_the_scale() {
        assert_eq!(per_mille(i32::MIN), 0);
        assert_eq!(per_mille(0), 500);
        assert_eq!(per_mille(i32::MAX), 1000);
    }
}
