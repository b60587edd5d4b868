//! The colours, once: as CSS variables for pages, and put in place for a picture that stands alone.

/// Name, colour on light, colour on dark. The series colours keep their order: neighbours stay apart for
/// colour-blind readers too.
pub const COLOURS: &[(&str, &str, &str)] = &[
    ("page", "#f6f5f1", "#111110"),
    ("surface", "#fdfdfc", "#1b1b1a"),
    ("ink", "#141413", "#f4f3ee"),
    ("soft", "#52514e", "#c3c2b7"),
    ("muted", "#73716b", "#97958c"),
    ("line", "#e3e2db", "#30302d"),
    ("axis", "#b9b8ae", "#4d4c48"),
    ("weak", "#b9b8ae", "#6d6c66"),
    ("s0", "#2a78d6", "#4a94ea"),
    ("s1", "#d95a26", "#e57a4a"),
    ("s2", "#14875d", "#2bae80"),
    ("s3", "#6a4fc0", "#a195f0"),
    ("s4", "#b07400", "#d39a1c"),
    ("s5", "#c2417c", "#e2709f"),
    ("good", "#14875d", "#2bae80"),
    ("mixed", "#b07400", "#d39a1c"),
    ("bad", "#c93b3a", "#ec7270"),
    ("code", "#efeee8", "#252523"),
    ("q0", "#f1f5fb", "#1d222a"),
    ("q1", "#e0ebf8", "#1e2c3c"),
    ("q2", "#cadef5", "#20374f"),
    ("q3", "#afcdf0", "#214464"),
    ("q4", "#8fb8ea", "#22537d"),
    ("q5", "#6ba0e1", "#276398"),
    ("q6", "#4485d2", "#3a7dc2"),
    ("q7", "#3572c0", "#4f93da"),
    ("q8", "#2a61ab", "#6aa6e6"),
    ("q9", "#205094", "#8abaf0"),
    ("q10", "#173f7a", "#aecff6"),
    ("q11", "#0f2e5c", "#d8e8fc"),
];

/// How many steps of lightness a heat map has (`q0`…).
pub const HEAT_STEPS: usize = 12;

/// `:root` with the variables, light first, dark where the reader asks for it.
pub fn variables() -> String {
    let block =
        |pick: fn(&(&str, &str, &str)) -> String| COLOURS.iter().map(pick).collect::<String>();
    let light = block(|c| format!("--{}:{};", c.0, c.1));
    let dark = block(|c| format!("--{}:{};", c.0, c.2));
    format!(
        ":root{{color-scheme:light dark;{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )
}

/// `css` with every `var(--name)` put in place, for readers of SVG that know no variables; the dark
/// colours follow in a media query.
pub fn in_place(css: &str) -> String {
    let put = |pick: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        COLOURS.iter().fold(css.to_string(), |css, c| {
            css.replace(&format!("var(--{})", c.0), pick(c))
        })
    };
    format!(
        "{}\n@media (prefers-color-scheme:dark){{\n{}}}\n",
        put(|c| c.1),
        put(|c| c.2)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_is_left_in_place() {
        let css = in_place(crate::chart::CSS);
        assert!(!css.contains("var("), "{css}");
    }

    #[test]
    fn every_heat_step_has_a_colour() {
        for step in 0..HEAT_STEPS {
            assert!(COLOURS.iter().any(|c| c.0 == format!("q{step}")));
        }
    }
}
