//! The page around the pictures: head, style, sections, figures with their tables, the script.

use std::fmt::Write;

use crate::text::{escape, px};

/// The page's style besides the charts'.
const CSS: &str = include_str!("page.css");
/// Read-outs under the pointer and the copy button; the page is whole without it. It holds neither `<`
/// nor `&`, so that a page is also well-formed XML.
const SCRIPT: &str = include_str!("page.js");

/// A row of a table; `px` is its place in the picture beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Horizontal place in the picture, in its units.
    pub px: Option<f64>,
    /// Cells; the first is the row's head.
    pub cells: Vec<String>,
    /// Set bold.
    pub strong: bool,
}

/// A table of text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Heads.
    pub head: Vec<String>,
    /// Rows.
    pub rows: Vec<Row>,
    /// A line under the table.
    pub note: String,
}

impl Table {
    /// The table as HTML.
    pub fn html(&self) -> String {
        let mut out = String::from("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>");
        for head in &self.head {
            let _ = write!(out, "<th scope=\"col\">{}</th>", escape(head));
        }
        out.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            let place = row
                .px
                .map(|p| format!(" data-px=\"{}\"", px(p)))
                .unwrap_or_default();
            let strong = if row.strong { " class=\"strong\"" } else { "" };
            let _ = write!(out, "<tr{place}{strong}>");
            for (i, cell) in row.cells.iter().enumerate() {
                let _ = if i == 0 {
                    write!(out, "<th scope=\"row\">{}</th>", escape(cell))
                } else {
                    write!(out, "<td>{}</td>", escape(cell))
                };
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div>");
        if !self.note.is_empty() {
            let _ = write!(out, "<p class=\"quiet\">{}</p>", escape(&self.note));
        }
        out
    }
}

/// A picture with its heading, caption and folded table.
pub fn figure(title: &str, caption: &str, svg: &str, table: &Table, wide: bool) -> String {
    let mut out = format!(
        "<figure{}><figcaption><h3>{}</h3>",
        if wide { " class=\"wide\"" } else { "" },
        escape(title)
    );
    if !caption.is_empty() {
        let _ = write!(out, "<p>{}</p>", escape(caption));
    }
    let _ = write!(
        out,
        "</figcaption><div class=\"scroll picture\" tabindex=\"0\">{svg}</div>"
    );
    if !table.rows.is_empty() {
        let _ = write!(
            out,
            "<details><summary>Show as a table</summary>{}</details>",
            table.html()
        );
    }
    out.push_str("</figure>");
    out
}

/// A command or a file in a block with a button to copy it.
pub fn copyable(purpose: &str, text: &str) -> String {
    let head = if purpose.is_empty() {
        String::new()
    } else {
        format!("<p class=\"purpose\">{}</p>", escape(purpose))
    };
    format!(
        "{head}<div class=\"code\"><pre tabindex=\"0\"><code>{}</code></pre></div>",
        escape(text)
    )
}

/// A whole page in the making.
pub struct Page {
    title: String,
    head: String,
    sections: Vec<(String, String, String)>,
}

impl Page {
    /// A page with its header; `kind` is the small line above the title.
    pub fn new(kind: &str, title: &str, subtitle: &str) -> Self {
        let title = if title.trim().is_empty() { kind } else { title };
        let mut head = format!(
            "<header><p class=\"kind\">{}</p><h1>{}</h1>",
            escape(kind),
            escape(title)
        );
        if !subtitle.is_empty() {
            let _ = write!(head, "<p class=\"subtitle\">{}</p>", escape(subtitle));
        }
        head.push_str("</header>");
        Self {
            title: format!("{title} · elman"),
            head,
            sections: Vec::new(),
        }
    }

    /// Puts something between header and first section.
    pub fn lead(&mut self, html: &str) {
        self.head.push_str(html);
    }

    /// Adds a section, unless it is empty. `id` names it in the page's address.
    pub fn section(&mut self, id: &str, title: &str, html: String) {
        if !html.is_empty() {
            self.sections.push((id.into(), title.into(), html));
        }
    }

    /// The page.
    pub fn finish(self) -> String {
        let mut body = self.head;
        if self.sections.len() > 2 {
            body.push_str("<nav aria-label=\"Sections\"><ul>");
            for (id, title, _) in &self.sections {
                let _ = write!(body, "<li><a href=\"#{id}\">{}</a></li>", escape(title));
            }
            body.push_str("</ul></nav>");
        }
        for (id, title, html) in &self.sections {
            let _ = write!(
                body,
                "\n<section id=\"{id}\" class=\"part\"><h2>{}</h2>{html}</section>",
                escape(title)
            );
        }
        if self.sections.is_empty() {
            body.push_str("<p class=\"quiet\">Nothing has been measured yet.</p>");
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <title>{}</title>\n<style>\n{}{CSS}{}</style>\n</head>\n<body>\n<main>\n{body}\n\
             <footer>Made by elman. This page needs no network.</footer>\n</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            escape(&self.title),
            crate::palette::variables(),
            crate::chart::CSS,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_also_well_formed_xml() {
        assert!(!SCRIPT.contains(['<', '&']));
        assert!(!CSS.contains(['<', '&']));
    }

    #[test]
    fn an_empty_page_says_so() {
        assert!(
            Page::new("Training run", "", "")
                .finish()
                .contains("Nothing has been measured yet")
        );
    }
}
