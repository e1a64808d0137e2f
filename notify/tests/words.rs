//! What is read from a command line or a configuration: statuses, fields, mentions.

use cutover_notify::{Error, Field, Fields, Mention, SlackChannel, Status};

#[test]
fn statuses_read_as_they_print() {
    for status in Status::ALL {
        assert_eq!(status.to_string().parse::<Status>().unwrap(), status);
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    let error = "Success".parse::<Status>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown status `Success`: expected one of success, failure, cancelled, rolled-back, waiting"
    );
}

#[test]
fn fields_have_the_names_of_action_slack() {
    let names = "repo,message,commit,author,action,eventName,ref,workflow,job,took";
    let fields: Vec<Field> = names.split(',').map(|name| name.parse().unwrap()).collect();
    assert_eq!(fields, Field::ALL);
    assert_eq!(serde_json::to_value(Field::EventName).unwrap(), "eventName");
    assert_eq!(serde_json::from_value::<Field>("ref".into()).unwrap(), Field::Ref);
    let error = "eventname".parse::<Field>().unwrap_err().to_string();
    assert!(error.ends_with(&names.replace(',', ", ")), "{error}");
}

#[test]
fn fields_are_chosen_as_action_slack_has_them_written() {
    let guide = "repo,message,commit,author,action,eventName,ref,workflow,job,took";
    assert_eq!(guide.parse::<Fields>().unwrap(), Fields::all());
    assert_eq!("all".parse::<Fields>().unwrap().as_slice(), Field::ALL);
    let some: Fields = "took, repo,all".parse().unwrap();
    assert_eq!(some.as_slice()[..3], [Field::Took, Field::Repo, Field::Message]);
    assert_eq!(some.as_slice().len(), Field::ALL.len());
    assert!(matches!("repo,branch".parse::<Fields>(), Err(Error::Field { given }) if given == "branch"));
}

#[test]
fn a_channel_is_an_id_or_a_name() {
    for (given, told) in
        [("C0123456789", "C0123456789"), ("#deploys", "#deploys"), ("배포-알림", "#배포-알림")]
    {
        assert_eq!(given.parse::<SlackChannel>().unwrap().to_string(), told);
    }
    for bad in ["", "#", "Deploys", "two words", "<!here>", "a.b", "U0123456"] {
        assert!(
            matches!(bad.parse::<SlackChannel>(), Err(Error::Channel { given }) if given == bad),
            "{bad}"
        );
    }
}

#[test]
fn mentions_are_the_three_words_and_ids() {
    for good in ["here", "channel", "everyone", "U0123456", "W012A3CDE", "S0614TZR7"] {
        assert_eq!(good.parse::<Mention>().unwrap().to_string(), good);
    }
    for bad in ["", "@here", "Here", "anna", "SUCCESS", "u0123456", "U01234-6", "C0123456", "U0123456>"] {
        assert!(matches!(bad.parse::<Mention>(), Err(Error::Mention { given }) if given == bad), "{bad}");
    }
    assert!(serde_json::from_value::<Mention>("anna".into()).is_err());
}
