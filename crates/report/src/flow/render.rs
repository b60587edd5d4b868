//! The order of the microscope's page.

use super::{FlowReport, matrix, tables};
use crate::page::{Page, copyable};
use crate::parts::{commands, facts, headline, tiles};
use crate::text::escape;
use crate::training::card;

/// The page of the gradient microscope, as HTML.
pub fn flow_page(report: &FlowReport) -> String {
    let mut page = Page::new("Gradient microscope", &report.title, &report.subtitle);
    page.lead(&headline(&report.headline));
    page.lead(&proposal(report));
    page.lead(&tiles(&report.key_figures));
    let lags = [
        report
            .lag_profile
            .as_ref()
            .map(|l| l.figure(&report.measured_over)),
        report.lag_shares.as_ref().map(|l| l.figure()),
        report.truncation.as_ref().map(|t| t.figure()),
    ];
    page.section("lags", "How far back the gradient reaches", figures(lags));
    let steps = [
        report.contributions.as_ref().map(|c| c.figure()),
        report.history.as_ref().map(|h| h.figure()),
    ];
    page.section("steps", "Step by step, epoch by epoch", figures(steps));
    let spectra = [
        Some(matrix::eigenvalues(&report.map, &report.eigenvalues)),
        report.singular_values.as_ref().map(|s| s.figure()),
        report.lyapunov.as_ref().map(|l| l.figure()),
    ];
    let spectra = tiles(&report.matrix) + &figures(spectra);
    page.section("matrix", "What the weights do to a state", spectra);
    page.section(
        "units",
        "Units and resting points",
        tables::saturation(&report.saturation) + &tables::fixed_points(&report.fixed_points),
    );
    page.section("facts", "How it was measured", card(&facts(&report.facts)));
    page.section(
        "again",
        "Go on from here",
        card(&commands(&report.commands)),
    );
    page.finish()
}

/// Evidence and the change proposed, side by side.
fn proposal(report: &FlowReport) -> String {
    let evidence = if report.evidence.is_empty() {
        String::new()
    } else {
        let items: String = report
            .evidence
            .iter()
            .map(|e| format!("<li>{}</li>", escape(e)))
            .collect();
        card(&format!(
            "<h2>Evidence</h2><ul class=\"evidence\">{items}</ul>"
        ))
    };
    let proposal = report.proposal.as_ref().map(|p| {
        card(&format!(
            "<h2>What to change</h2>{}",
            copyable(&p.purpose, &p.line)
        ))
    });
    match (evidence.is_empty(), proposal) {
        (false, Some(proposal)) => format!("<div class=\"pair\">{evidence}{proposal}</div>"),
        (_, proposal) => evidence + &proposal.unwrap_or_default(),
    }
}

fn figures(parts: impl IntoIterator<Item = Option<String>>) -> String {
    let inner: String = parts.into_iter().flatten().collect();
    if inner.is_empty() {
        inner
    } else {
        format!("<div class=\"figures\">{inner}</div>")
    }
}
