use super::*;

fn wrong(text: &str) -> (String, usize, usize, String) {
    match Template::new(text).unwrap_err() {
        Error::Template { why, line, column, range } => (why, line, column, text[range].to_owned()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_template_tells_what_is_known_and_nothing_for_what_is_not() {
    let text = "{{ app }} {{ status }}{% if image %} {{ image }}{% endif %} {{ took }}\
                {% for phase in phases %} {{ phase.name }}={{ phase.took }}{% endfor %}";
    let template = Template::new(text).unwrap();
    let told = template.render(&sample(Status::RolledBack)).unwrap();
    assert_eq!(told, "web rolled-back ghcr.io/acme/web:1.4 12.4 s pull=12.4 s");
    assert_eq!(template.render(&Notice::new(Status::Waiting, "api")).unwrap(), "api waiting");
}

#[test]
fn what_is_no_template_is_told_with_line_and_column() {
    let (why, line, column, _) = wrong("{{ app }}\n{% if status == %}x{% endif %}");
    assert!(why.starts_with("syntax error: "), "{why}");
    assert_eq!((line, column), (2, 17));
    let (why, line, ..) = wrong("{% if app %}never closed");
    assert!(why.starts_with("syntax error: "), "{why}");
    assert_eq!(line, 1);
}

#[test]
fn a_name_that_there_is_not_is_found_on_every_way_through_the_template() {
    let (why, line, column, what) =
        wrong("{{ app }}\n  {% if status == 'maintenance' %}{{ branch }}{% endif %}");
    assert!(why.starts_with("unknown variable `branch`: expected one of action, actor, app, "), "{why}");
    assert_eq!((line, column, what.as_str()), (2, 38, "branch"));
    let (why, _, column, _) = wrong("{{ requests.failed }}");
    assert!(why.starts_with("undefined value"), "{why}");
    assert_eq!(column, 4);
    let (why, ..) = wrong("{{ app|shout }}");
    assert!(why.starts_with("unknown filter: "), "{why}");
}

#[test]
fn a_template_that_does_not_come_to_an_end_is_refused() {
    let (why, ..) =
        wrong("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}{{ app }}");
    assert_eq!(why, "the template does not come to an end");
}

#[test]
fn in_mrkdwn_the_template_may_page_and_what_it_is_filled_with_may_not() {
    let template = Template::new("<!here> *{{ app }}* {{ reason|safe }} {{ logs }}").unwrap();
    let mut notice = Notice::new(Status::Failure, "web");
    notice.reason = Some("<!channel> & @everyone".to_owned());
    notice.logs = vec!["<@U0123456>".to_owned()];
    assert_eq!(
        template.mrkdwn(&notice).unwrap(),
        "<!here> *web* &lt;!channel&gt; &amp; @\u{2060}everyone ['&lt;@U0123456&gt;']"
    );
}
