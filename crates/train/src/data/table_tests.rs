//! Tests of `table` and `frame`: files as people have them, and wrong ones.

use super::delimited::MOST_FIELDS;
use super::{DataError, Frame, Missing, ReadOptions, Table};
use proptest::prelude::*;

fn table(text: &str) -> Table {
    Table::parse("t.csv", text.as_bytes()).unwrap()
}

fn fault(text: &str) -> String {
    one_line(Table::parse("t.csv", text.as_bytes()).unwrap_err())
}

fn one_line(e: DataError) -> String {
    let said = e.to_string();
    assert!(!said.contains('\n') && said.len() < 300, "{said}");
    said
}

fn select(text: &str, column: &str, missing: Missing) -> Result<Frame, DataError> {
    table(text).select(&[column], missing)
}

fn numbers(frame: &Frame) -> Vec<Vec<f64>> {
    frame.columns.iter().map(|c| c.to_vec()).collect()
}

#[test]
fn a_plain_file() {
    let t = table("\u{feff}date,load,note\r\n2020-01-01,1.5,a\r\n2020-01-02,2.5,\"b, c\"\r\n");
    assert_eq!(t.names(), ["date", "load", "note"]);
    assert_eq!(t.numeric_names(), ["load"]);
    assert_eq!(t.time_name(), Some("date"));
    assert_eq!(t.labels(), ["2020-01-01", "2020-01-02"]);
    assert_eq!(t.texts("note").unwrap(), ["a", "b, c"]);
    let f = t.select(&["load"], Missing::Refuse).unwrap();
    assert_eq!(
        (numbers(&f), f.line_of_row.iter().collect()),
        (vec![vec![1.5, 2.5]], vec![2, 3])
    );
}

#[test]
fn other_ways_to_write_the_same() {
    for text in [
        "date;load\n01.01.2020;1,5\n02.01.2020;2,5\n",
        "date\tload\nx\t1.5\ny\t2.5\n",
        "date | load\nx | 1.5\ny | 2.5\n",
        "  date   load\n  x  1.5\n  y  2.5\n",
        "sep=;\ndate;load;\nx;1,5;\ny;2,5;\n",
        "# made by hand\ndate,load\n\nx,1.5\n\ny,2.5",
    ] {
        let f = select(text, "load", Missing::Refuse).unwrap();
        assert_eq!(numbers(&f), [[1.5, 2.5]], "{text}");
        assert_eq!(f.labels.len(), 2, "{text}");
    }
}

#[test]
fn header_or_none() {
    assert_eq!(table("1,2\n3,4\n").names(), ["column_1", "column_2"]);
    assert_eq!(table("1,2\n3,4\n").rows(), 2);
    assert_eq!(table("value\n3\n4\n").names(), ["value"]);
    assert_eq!(table("a,1\nb,2\n").names(), ["column_1", "column_2"]);
    assert_eq!(table(",v\n1,5\n2,6\n").names(), ["column_1", "v"]);
    assert_eq!(table("x,NA\ny,2\nz,3\n").rows(), 3);
    let t = table("1,2,x\n4,5,6\n7,8,9\n");
    assert!(matches!(
        t.select(&["3"], Missing::Refuse),
        Err(DataError::NotNumeric { line: 1, .. })
    ));
    let forced = ReadOptions {
        header: Some(true),
        ..Default::default()
    };
    assert_eq!(
        Table::parse_with("t", b"1990,1991\n1,2\n", &forced)
            .unwrap()
            .names(),
        ["1990", "1991"]
    );
}

#[test]
fn numeric_time_columns() {
    assert_eq!(
        table("YEAR,SUN\n1700,5\n1701,11\n").time_name(),
        Some("YEAR")
    );
    assert_eq!(
        table("date,x\n1749.04,5\n1749.13,11\n1749.20,1\n").time_name(),
        Some("date")
    );
    assert_eq!(table("a,b\n1,5\n5,11\n6,2\n").time_name(), None);
    assert_eq!(table("v\n1\n2\n3\n").time_name(), None);
    assert_eq!(table("a,b\n4,5\n1,11\n6,2\n").labels(), ["1", "2", "3"]);
}

#[test]
fn columns_of_numbers() {
    // A typo keeps a column among them, so that it is named; a column without any value is none.
    let t = table("t,a,b,c,d\nx,1,1,,u\ny,2o,2,NA,v\nz,3,3,,w\n");
    assert_eq!(t.numeric_names(), ["a", "b"]);
}

#[test]
fn identifiers_stay_text_on_request() {
    let options = ReadOptions {
        as_text: vec!["id".into()],
        ..Default::default()
    };
    let t = Table::parse_with("t", b"id,v\n01,1\n02,2\n", &options).unwrap();
    assert_eq!(t.texts("id").unwrap(), ["01", "02"]);
}

#[test]
fn columns_by_name_or_number() {
    let t = table("YEAR,SUN\n1700,5\n1701,11\n");
    assert_eq!(t.find("SUN").unwrap(), 1);
    assert_eq!(t.find("2").unwrap(), 1);
    let said = one_line(t.find("SUNN").unwrap_err());
    assert_eq!(
        said,
        r#"t.csv: there is no column "SUNN"; did you mean "SUN"?"#
    );
    assert!(one_line(t.find("3").unwrap_err()).contains(r#""YEAR", "SUN""#));
    assert!(t.find("0").is_err());
}

#[test]
fn gaps() {
    let text = "t,v\na,\nb,1\nc,NA\nd,?\ne,4\nf,null\n";
    let said = one_line(select(text, "v", Missing::Refuse).unwrap_err());
    assert!(
        said.starts_with(r#"t.csv: line 2: column "v" has no value ("")"#),
        "{said}"
    );
    let f = select(text, "v", Missing::Interpolate).unwrap();
    assert_eq!(numbers(&f), [[1.0, 1.0, 2.0, 3.0, 4.0, 4.0]]);
    assert_eq!(f.repaired, 4);
    let f = select(text, "v", Missing::Drop).unwrap();
    assert_eq!(
        (
            numbers(&f),
            f.labels.to_vec(),
            f.line_of_row.iter().collect()
        ),
        (
            vec![vec![1.0, 4.0]],
            vec!["b".into(), "e".into()],
            vec![3, 6]
        )
    );
}

#[test]
fn gaps_elsewhere_do_not_matter() {
    let t = table("t,v,w\na,1,\nb,2,3\n");
    assert_eq!(t.select(&["v"], Missing::Refuse).unwrap().rows(), 2);
    assert_eq!(t.select(&["v"], Missing::Drop).unwrap().rows(), 2);
    assert!(matches!(
        t.select(&["v", "w"], Missing::Refuse),
        Err(DataError::MissingValue { line: 2, .. })
    ));
}

#[test]
fn nothing_left() {
    let t = table("t,v,w\na,1,\nb,,3\n");
    assert!(matches!(
        t.select(&["v", "w"], Missing::Drop),
        Err(DataError::AllDropped { .. })
    ));
    assert!(matches!(
        select("t,u,v\na,1,NA\nb,2,NA\n", "v", Missing::Interpolate),
        Err(DataError::NoValues { .. })
    ));
}

#[test]
fn wrong_files() {
    assert_eq!(
        fault(" \n\n"),
        "t.csv: the file is empty; give a file with data in it"
    );
    assert_eq!(
        fault("# only\n# comments\n"),
        "t.csv: the file is empty; give a file with data in it"
    );
    assert!(fault("date,load\n").contains("a header (line 1) and no row of data"));
    assert!(
        fault("a,b\n1,2\n3\n4,5\n")
            .starts_with("t.csv: line 3 has 1 fields where line 1 has 2 (separated by commas)")
    );
    assert!(fault("a,b,a\n1,2,3\n").contains(r#"columns 1 and 3 are both named "a""#));
    assert!(fault("a,b\n1,\"2\n").contains("line 2: a quoted field begins here and never ends"));
    let said = one_line(Table::parse("t.csv", b"a,b\n1,\xff\n").unwrap_err());
    assert!(
        said.starts_with("t.csv: line 2: byte 6 of the file is not UTF-8"),
        "{said}"
    );
    let said = one_line(Table::read("/no/such.csv".as_ref()).unwrap_err());
    assert!(
        said.starts_with("/no/such.csv: there is no such file"),
        "{said}"
    );
}

#[test]
fn wrong_cells() {
    let said = one_line(select("t,v\na,1\nb,2x\nc,3\n", "v", Missing::Drop).unwrap_err());
    assert!(
        said.starts_with(r#"t.csv: line 3: column "v" has "2x" where a number is needed"#),
        "{said}"
    );
    let said = one_line(select("t,v\na,1\nb,-inf\n", "v", Missing::Refuse).unwrap_err());
    assert!(
        said.starts_with(r#"t.csv: line 3: column "v" has "-inf", which is not a finite"#),
        "{said}"
    );
    assert!(matches!(
        select("t,v\na,1\nb,1e400\n", "v", Missing::Refuse),
        Err(DataError::NotFinite { line: 3, .. })
    ));
    assert!(matches!(
        select("t,v\na,1\nb,2\n", "t", Missing::Refuse),
        Err(DataError::NotNumeric { line: 2, .. })
    ));
}

#[test]
fn a_constant_target() {
    let f = select("t,v\na,2\nb,2\n", "v", Missing::Refuse).unwrap();
    assert!(one_line(f.require_varying("v").unwrap_err()).contains("is 2 in every row"));
    assert!(matches!(
        f.require_varying("w"),
        Err(DataError::NoSuchColumn { .. })
    ));
}

#[test]
fn a_typo_does_not_make_a_number_column_the_time() {
    let t = table("v,when\n1,x\n2,y\n3o,z\n4,w\n");
    assert_eq!(t.time_name(), Some("when"));
}

#[test]
fn a_row_of_too_many_fields() {
    let row = |fields: usize| "1,".repeat(fields - 1) + "1\n";
    for (text, line) in [
        (row(MOST_FIELDS + 1), 1),
        (row(2) + &row(MOST_FIELDS + 1), 2),
    ] {
        let said = Table::parse("t", text.as_bytes()).unwrap_err().to_string();
        let start = format!("t: line {line}: there are more than 100000 fields; ");
        assert!(said.starts_with(&start), "{said}");
    }
    assert_eq!(
        table(&row(MOST_FIELDS).repeat(2)).names().len(),
        MOST_FIELDS
    );
}

proptest! {
    /// Every f64 written is the f64 read, for each delimiter.
    #[test]
    fn numbers_come_back(rows in proptest::collection::vec([-1e300f64..1e300, -1.0..1.0], 1..20)) {
        for sign in [",", ";", "\t", "|", "  "] {
            let mut text = format!("alpha{sign}beta\n");
            for [a, b] in &rows {
                text += &format!("{a:e}{sign}{b}\n");
            }
            let f = table(&text).select(&["alpha", "beta"], Missing::Refuse).unwrap();
            for (i, [a, b]) in rows.iter().enumerate() {
                prop_assert_eq!(f.columns[0].get(i), *a);
                prop_assert_eq!(f.columns[1].get(i), *b);
            }
        }
    }

    /// No bytes make the reader panic; every complaint is one line.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Err(e) = Table::parse("t", &bytes) {
            one_line(e);
        }
    }

    #[test]
    fn any_table_like_text(text in "[0-9a,;\"\n.\r\t -]{0,80}") {
        if let Ok(t) = Table::parse("t", text.as_bytes()) {
            for name in t.names() {
                for missing in [Missing::Refuse, Missing::Interpolate, Missing::Drop] {
                    if let Ok(f) = t.select(&[name], missing) {
                        prop_assert!(f.columns[0].iter().all(f64::is_finite));
                        prop_assert_eq!(f.columns[0].len(), f.labels.len());
                    }
                }
            }
        }
    }
}
