use super::*;

fn good() -> Account {
    Account {
        debug_build: true,
        sent: 1_234_567,
        timeline: vec![
            Period {
                version: "1".to_owned(),
                from: Duration::ZERO,
                until: Duration::from_millis(3210),
                handover: Duration::ZERO,
                answers: 4321,
            },
            Period {
                version: "2".to_owned(),
                from: Duration::from_millis(3210),
                until: Duration::from_millis(12_000),
                handover: Duration::from_micros(1500),
                answers: 99,
            },
        ],
        streams: vec![Stream {
            name: "websocket",
            messages: 250,
            past_switch: Some(Duration::from_millis(5100)),
            due: Duration::from_secs(2),
            end: Some("close frame: going away".to_owned()),
        }],
        switch: Some(Duration::from_micros(2340)),
        acts: vec![Act {
            what: "ship version 2".to_owned(),
            expected: 0,
            status: Some(0),
            took: Duration::from_millis(7300),
            phases: vec![("soak".to_owned(), Duration::from_secs(2))],
        }],
        rejection: "error: no\n  now: 2 serves".to_owned(),
        notices: vec![vec!["web: 2 is live".to_owned()]],
        ..Account::default()
    }
}

#[test]
fn the_table_tells_everything_that_happened() {
    let expected = "
What happened (a debug build of cutover: a release build is quicker)

  requests sent                          1,234,567
  failed                                 0
  answered by a version that was left    0
  websocket opened before the switch     lived on for 5.1 s until its slot was drained, then: close frame: going away (250 messages)
  the switch, with its confirmation      2.3 ms

Which version answered, by when the request was sent
  + 0.000 s to + 3.210 s   version 1       4,321 answers
  + 3.210 s to +12.000 s   version 2          99 answers, after 1.5 ms of both

Commands, from the start of the process to its end
  ship version 2                               exit 0     7.3 s   soak 2.0 s

What cutover said of the broken release
  error: no
    now: 2 serves

A notice, as Slack had it
  web: 2 is live

Nothing was lost.
";
    assert_eq!(render(&good()), expected);
}

#[test]
fn whatever_was_lost_is_a_fault_and_is_told() {
    let mut cases: Vec<(Account, &str)> = Vec::new();
    cases.push((Account { failed: 2, ..good() }, "2 of 1234567 requests failed"));
    cases.push((Account { sent: 0, ..good() }, "no request was sent"));
    cases.push((Account { stale: 7, ..good() }, "7 requests were answered by a version that had been left"));
    let mut cut = good();
    cut.streams[0].past_switch = None;
    cases.push((cut, "the websocket did not live through the switch: close frame: going away"));
    let mut early = good();
    early.streams[0].past_switch = Some(Duration::from_millis(1999));
    cases.push((early, "the websocket did not live through the switch: close frame: going away"));
    let mut other = good();
    other.acts[0].status = Some(6);
    cases.push((other, "ship version 2 ended with 6 instead of 0"));
    for (account, fault) in cases {
        assert_eq!(account.faults(), [fault]);
        let table = render(&account);
        assert!(table.contains(&format!("This went wrong\n  {fault}\n")), "{table}");
        assert!(!table.contains("Nothing was lost"), "{table}");
    }
    assert!(good().faults().is_empty());
}
