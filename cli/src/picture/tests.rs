use std::collections::BTreeMap;

use super::*;
use crate::record::tests::record;

/// All text that comes from outside, made to break out.
const EVIL: &str = "</pre><script>alert(1)</script>&\"'\u{202e}\u{1b}[31m";

#[test]
fn nothing_from_outside_is_more_than_text() {
    let mut told = record();
    let evil = || Some(EVIL.to_owned());
    told.app = EVIL.to_owned();
    told.id = EVIL.to_owned();
    told.began = EVIL.to_owned();
    let run = &mut told.run;
    run.command = EVIL.to_owned();
    run.outcome = EVIL.to_owned();
    run.who = EVIL.to_owned();
    run.phases = BTreeMap::from([("build".to_owned(), 1.0)]);
    (run.image, run.digest, run.previous, run.reason) = (evil(), evil(), evil(), evil());
    (run.from, run.live) = (evil(), evil());
    run.probe.as_mut().unwrap().why = evil();
    told.phases[0].name = EVIL.to_owned();
    told.serving[0].slot = evil();
    (told.gate[0].who, told.gate[0].what, told.gate[0].wrong) = (EVIL.to_owned(), EVIL.to_owned(), evil());
    told.logs = vec![EVIL.to_owned()];
    let probe = told.probe.as_mut().unwrap();
    probe.what = EVIL.to_owned();
    probe.buckets[0].slot = evil();
    for text in [html(&told), svg(&told)] {
        assert!(!text.contains("<script") && !text.contains("</pre><"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(!text.contains("alert(1)</") && text.contains("&lt;script&gt;"), "{text}");
    }
    let told = text(&told);
    assert!(!told.contains('\u{1b}') && told.contains("<script>"), "{told}");
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere() {
    let page = html(&record());
    for word in ["src=", "url(", "@import", "<link", "<script", "<iframe", "onload", "javascript:"] {
        assert!(!page.contains(word), "{word}");
    }
    let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links, ["#main"]);
}

#[test]
fn the_table_has_the_figures_of_the_chart() {
    let page = html(&record());
    for row in [
        "<th scope=\"row\">before</th><td class=\"number\">4</td><td class=\"number\">0</td>\
         <td class=\"number\">2.0</td><td class=\"number\">4.1</td><td class=\"number\">4.1</td>",
        "<th scope=\"row\" class=\"number\">0.0</th><td class=\"number\">0.1</td><td>blue</td>\
         <td>aaaaaaaaaaaa</td><td class=\"number\">4</td><td class=\"number\">0</td>",
        "<td>green</td><td>bbbbbbbbbbbb</td><td class=\"number\">3</td>\
         <td class=\"number\"><strong class=\"bad\">1</strong></td>",
    ] {
        assert!(page.contains(row), "{row} is not in\n{page}");
    }
    let chart = svg(&record());
    for part in [
        "blue served at first, green from 1.5 s on. Requests: 7 sent, 1 failed, p99 4.1/5.2/- ms",
        "<rect class=\"failed\"",
        ">switch to green</text>",
        ">stopped after 500.0 ms</text>",
    ] {
        assert!(chart.contains(part), "{part} is not in\n{chart}");
    }
}

#[test]
fn a_long_run_has_no_more_columns_than_a_chart_has_room_for() {
    let mut long = record();
    long.took_ms = 600_000.0;
    let bucket = long.probe.as_ref().unwrap().buckets[0].clone();
    let buckets = (0..6_000).map(|number| crate::probe::Bucket { at_ms: number * 100, ..bucket.clone() });
    long.probe.as_mut().unwrap().buckets = buckets.collect();
    let columns = columns::columns(&long);
    assert_eq!((columns.len(), columns[1].from_ms, columns[1].sent), (120, 5_000.0, 200));
}

#[test]
fn words_tell_the_same() {
    let told = text(&record());
    for part in [
        "web: deploy, deployed in 3.0 s",
        "served    blue aaaaaaaaaaaa, from 1.5 s on green bbbbbbbbbbbb",
        "  before             4         0       2.0       4.1       4.1",
        "  during             3         1       5.0       5.2       5.2",
        "   1.5 s    4.0 ms  switch to green",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}
