//! How good a model is.

use crate::boosting::{Model, likelihood};
use crate::payments::Row;

/// What is measured of a model on rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measures {
    /// The chance that a fraudulent payment scores higher than an honest one.
    pub(crate) area_under_curve: f64,
    /// Of the fraudulent payments, the share that scores 500 or more.
    caught: f64,
    /// Of the honest payments, the share that scores 500 or more.
    disturbed: f64,
}

/// Measures a model.
#[expect(
    clippy::cast_precision_loss,
    reason = "there are fewer rows than a float can count"
)]
pub(crate) fn measure(model: &Model, rows: &[Row]) -> Measures {
    let mut scored: Vec<(f64, bool)> = rows
        .iter()
        .map(|row| (model.log_odds(&row.inputs), row.fraud))
        .collect();
    scored.sort_by(|first, second| first.0.total_cmp(&second.0));
    let (mut honest, mut pairs) = (0_u64, 0_u64);
    let (mut caught, mut disturbed) = (0_u64, 0_u64);
    for (log_odds, fraud) in &scored {
        let high = likelihood(*log_odds) >= 0.5;
        if *fraud {
            pairs += honest;
            caught += u64::from(high);
        } else {
            honest += 1;
            disturbed += u64::from(high);
        }
    }
    let fraudulent = rows.len() as f64 - honest as f64;
    Measures {
        area_under_curve: pairs as f64 / (honest as f64 * fraudulent),
        caught: caught as f64 / fraudulent,
        disturbed: disturbed as f64 / honest as f64,
    }
}

/// A line for people.
pub(crate) fn report(title: &str, model: &Model, rows: &[Row]) -> String {
    let Measures {
        area_under_curve,
        caught,
        disturbed,
    } = measure(model, rows);
    format!(
        "{title}: {} rows, area under the curve {area_under_curve:.4}, from score 500 on {:.1} % of fraud and {:.2} % of \
         honest payments",
        rows.len(),
        caught * 100.0,
        disturbed * 100.0
    )
}
