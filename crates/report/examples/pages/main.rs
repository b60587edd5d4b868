//! Writes sample pages with made-up numbers to a folder, for the browser test and for looking at.
//!
//! ```text
//! cargo run -p elman-report --example pages -- FOLDER
//! ```

mod flow;
mod modes;
mod noise;
mod sunspots;
mod unrolled;

use std::path::Path;

use elman_report::{FlowReport, TrainingReport, flow_page, training_page};

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args().nth(1) else {
        return Err(std::io::Error::other(
            "which folder? cargo run -p elman-report --example pages -- FOLDER",
        ));
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    for (name, text) in [
        ("sunspots.html", training_page(&sunspots::report())),
        ("text.html", training_page(&modes::text())),
        ("classes.html", training_page(&modes::classes())),
        ("pairs.html", training_page(&modes::pairs())),
        ("hostile.html", training_page(&modes::hostile())),
        ("empty.html", training_page(&TrainingReport::default())),
        ("flow-vanishing.html", flow_page(&flow::vanishing())),
        ("flow-long.html", flow_page(&flow::long())),
        ("flow-empty.html", flow_page(&FlowReport::default())),
        ("unrolled.svg", unrolled::lesson()),
        ("unrolled-long.svg", unrolled::long()),
    ] {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}
