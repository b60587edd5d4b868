//! Every page and picture: well-formed, self-contained, the same bytes twice, nothing lost in JSON,
//! no panic on nothing or on nonsense.

#[path = "../examples/pages/flow.rs"]
mod flow;
#[path = "../examples/pages/modes.rs"]
mod modes;
#[path = "../examples/pages/noise.rs"]
mod noise;
#[path = "../examples/pages/sunspots.rs"]
mod sunspots;
#[path = "../examples/pages/unrolled.rs"]
mod unrolled;

use elman_report::chart::{
    Axis, Bar, Bars, ComplexPlane, Draw, Eigenvalue, Heatmap, Lines, Mark, Rule, Series, bars,
    complex_plane, heatmap, lines, standalone,
};
use elman_report::{
    FlowReport, TrainingReport, Unrolled, UnrolledStep, flow_page, training_page, unroll_svg,
};
use noise::Noise;

fn training_reports() -> Vec<TrainingReport> {
    vec![
        sunspots::report(),
        modes::text(),
        modes::classes(),
        modes::pairs(),
        modes::hostile(),
        TrainingReport::default(),
    ]
}

fn flow_reports() -> Vec<FlowReport> {
    vec![flow::vanishing(), flow::long(), FlowReport::default()]
}

fn pages() -> Vec<String> {
    let training = training_reports();
    let flow = flow_reports();
    training
        .iter()
        .map(training_page)
        .chain(flow.iter().map(flow_page))
        .collect()
}

/// Parses text as XML; HTML pages are made so that they are XML too.
fn parse(text: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    match roxmltree::Document::parse_with_options(text, options) {
        Ok(document) => document,
        Err(error) => {
            let row = error.pos().row as usize;
            let line = text.lines().nth(row - 1).unwrap_or_default();
            let from = (error.pos().col as usize).saturating_sub(100);
            panic!(
                "{error}: …{}",
                line.chars().skip(from).take(200).collect::<String>()
            )
        }
    }
}

/// What holds for every picture, in a page or alone.
fn check_picture(svg: roxmltree::Node<'_, '_>) {
    for node in svg.descendants().filter(roxmltree::Node::is_element) {
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(
                !value.contains("NaN") && !value.contains("inf"),
                "{name}={value}"
            );
            if ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r"].contains(&name)
                && value != "100%"
            {
                assert!(
                    value.parse::<f64>().is_ok_and(f64::is_finite),
                    "{name}={value}"
                );
            }
            if ["width", "height"].contains(&name) && value != "100%" {
                assert!(
                    value.parse::<f64>().is_ok_and(|v| v >= 0.0),
                    "{name}={value}"
                );
            }
        }
    }
}

#[test]
fn pages_are_well_formed_and_need_nothing_from_outside() {
    for page in pages() {
        let without_namespace = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!without_namespace.contains("http"), "a page points outside");
        assert!(!page.contains("@import") && !page.contains("url("));
        let document = parse(&page);
        let elements = || document.descendants().filter(roxmltree::Node::is_element);
        for node in elements() {
            for name in ["src", "action", "data", "poster", "srcset"] {
                assert!(node.attribute(name).is_none(), "{name}");
            }
            if let Some(target) = node.attribute("href") {
                let id = target
                    .strip_prefix('#')
                    .expect("links stay inside the page");
                assert!(
                    elements().any(|n| n.attribute("id") == Some(id)),
                    "{target} leads nowhere"
                );
            }
        }
        assert_eq!(
            elements().filter(|n| n.tag_name().name() == "h1").count(),
            1
        );
        assert_eq!(
            elements()
                .filter(|n| n.tag_name().name() == "script")
                .count(),
            1
        );
        let mut ids: Vec<_> = elements().filter_map(|n| n.attribute("id")).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "an id is there twice");
        for svg in elements().filter(|n| n.attribute("class") == Some("chart")) {
            assert!(
                svg.children().any(|c| c.tag_name().name() == "title"),
                "a picture has no title"
            );
            check_picture(svg);
        }
    }
}

#[test]
fn pictures_with_values_have_them_as_a_table_too() {
    for report in [flow::vanishing(), flow::long()] {
        let page = flow_page(&report);
        let document = parse(&page);
        for figure in document
            .descendants()
            .filter(|n| n.tag_name().name() == "figure")
        {
            assert!(
                figure
                    .descendants()
                    .any(|n| n.tag_name().name() == "details")
            );
        }
    }
}

#[test]
fn standalone_pictures_are_well_formed() {
    for svg in [
        unrolled::lesson(),
        unrolled::long(),
        unroll_svg(&Unrolled::default()),
    ] {
        let document = parse(&svg);
        assert_eq!(document.root_element().tag_name().name(), "svg");
        assert!(
            !svg.contains("var("),
            "readers of SVG that know no variables see no colours"
        );
        check_picture(document.root_element());
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert!(pages() == pages() && unrolled::long() == unrolled::long());
}

#[test]
fn reports_survive_json_with_missing_numbers() {
    for report in training_reports() {
        let text = serde_json::to_string(&report).unwrap();
        let back: TrainingReport = serde_json::from_str(&text).unwrap();
        // JSON has neither NaN nor infinity and both come back as NaN: only an ∞ may be lost.
        assert!(
            report.title == modes::hostile().title
                || training_page(&back) == training_page(&report),
            "{} changed on its way through JSON",
            report.title
        );
    }
    for report in flow_reports() {
        let text = serde_json::to_string(&report).unwrap();
        let back: FlowReport = serde_json::from_str(&text).unwrap();
        assert!(
            flow_page(&back) == flow_page(&report),
            "{} changed on its way through JSON",
            report.title
        );
    }
    let partial: TrainingReport = serde_json::from_str(r#"{"title": "only a title"}"#).unwrap();
    assert_eq!(partial.title, "only a title");
}

#[test]
fn the_lessons_first_example_stands_in_its_picture() {
    let svg = unrolled::lesson();
    for value in ["0.197", "0.291", "0.489", "W_hh", "W_xh", "W_hy"] {
        assert!(svg.contains(value), "{value}");
    }
}

/// Values that break formulas, in all combinations a small generator comes upon.
#[test]
fn charts_never_panic_and_stay_well_formed() {
    const VALUES: [f64; 12] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        1e-300,
        -1e300,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    for seed in 0..400 {
        let mut noise = Noise(seed);
        let mut pick = |n: usize| ((noise.draw() + 1.0) / 2.0 * n as f64) as usize % n;
        let n = pick(7);
        let mut some = |n: usize| {
            (0..n)
                .map(|_| VALUES[pick(VALUES.len())])
                .collect::<Vec<f64>>()
        };
        let (x, y, error) = (some(n), some(n), some(n));
        let values = vec![some(n), some(2), some(0)];
        let points = some(n)
            .into_iter()
            .zip(some(n))
            .map(|(re, im)| Eigenvalue { re, im })
            .collect();
        let log = seed % 2 == 0;
        let series = Series {
            error,
            ..Series::line("<a & b>", seed as usize, x, y.clone()).draw(Draw::Both)
        };
        let chart = Lines {
            title: "\"<&>\"".into(),
            x: Axis::new("<x>", "&"),
            y: Axis::new("y", "").log(log),
            series: vec![series],
            rules: y
                .iter()
                .map(|at| Rule {
                    at: *at,
                    upright: log,
                    label: "<r>".into(),
                })
                .collect(),
            marks: y
                .iter()
                .map(|y| Mark {
                    x: *y,
                    y: *y,
                    label: "<m>".into(),
                })
                .collect(),
            ..Lines::default()
        };
        let map = Heatmap {
            values,
            log,
            print: true,
            columns: vec!["<c>".into()],
            ..Heatmap::default()
        };
        let items = y.iter().map(|v| Bar {
            label: "<b>".into(),
            value: *v,
            strong: log,
        });
        let bar = Bars {
            items: items.collect(),
            upright: log,
            ..Bars::default()
        };
        let plane = ComplexPlane {
            points,
            ..ComplexPlane::default()
        };
        let step = UnrolledStep {
            h: y.clone(),
            x: y.clone(),
            y: y.clone(),
            gradient: 1.0,
            ..UnrolledStep::default()
        };
        let unrolled = Unrolled {
            steps: vec![step; n],
            ..Unrolled::default()
        };
        for svg in [
            lines(&chart),
            heatmap(&map),
            bars(&bar),
            complex_plane(&plane),
            unroll_svg(&unrolled),
        ] {
            let whole = if svg.contains("<style>") {
                svg
            } else {
                standalone(&svg)
            };
            check_picture(parse(&whole).root_element());
        }
    }
}
