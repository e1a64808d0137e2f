//! What is to be done where: tokens are asked for by it and kept by it.

use crate::ImageRef;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Actions {
    Pull,
    PullPush,
}

impl Actions {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::PullPush => "pull,push",
        }
    }
}

/// The repositories of one registry that a request concerns, its own first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    registry: String,
    own: (String, Actions),
    others: Vec<String>,
}

impl Scope {
    pub(crate) fn pull(image: &ImageRef) -> Self {
        Self::of(image, Actions::Pull)
    }

    pub(crate) fn push(image: &ImageRef) -> Self {
        Self::of(image, Actions::PullPush)
    }

    /// To push there what is taken over from other repositories.
    pub(crate) fn mount(image: &ImageRef, from: &[String]) -> Self {
        Self { others: from.to_vec(), ..Self::push(image) }
    }

    fn of(image: &ImageRef, actions: Actions) -> Self {
        let (registry, repository) = (image.registry().to_owned(), image.repository().to_owned());
        Self { registry, own: (repository, actions), others: Vec::new() }
    }

    pub(crate) fn registry(&self) -> &str {
        &self.registry
    }

    pub(crate) fn repository(&self) -> &str {
        &self.own.0
    }

    pub(crate) fn is_push(&self) -> bool {
        self.own.1 == Actions::PullPush
    }

    /// What to ask the token server for: this, and what the challenge names besides.
    ///
    /// A challenge may name less than is to be done: `pull` for the first request of a push, and at GHCR for others. A
    /// token for that one request would not do for the next.
    pub(crate) fn to_ask(&self, challenged: Option<&str>) -> Vec<String> {
        let own = std::iter::once((self.own.0.as_str(), self.own.1));
        let others = self.others.iter().map(|repository| (repository.as_str(), Actions::Pull));
        let mut asked: Vec<String> = own
            .chain(others)
            .map(|(repository, actions)| format!("repository:{repository}:{}", actions.as_str()))
            .collect();
        for extra in challenged.unwrap_or_default().split_ascii_whitespace() {
            if !asked.iter().any(|scope| covers(scope, extra)) {
                asked.push(extra.to_owned());
            }
        }
        asked
    }
}

/// Whether all that the second scope allows is in the first (`type:name:actions`; a name may hold colons).
fn covers(scope: &str, other: &str) -> bool {
    let (Some((name, actions)), Some((other_name, other_actions))) =
        (scope.rsplit_once(':'), other.rsplit_once(':'))
    else {
        return scope == other;
    };
    let allowed: Vec<&str> = actions.split(',').collect();
    name == other_name && other_actions.split(',').all(|action| allowed.contains(&action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_asked_for_all_that_is_to_be_done_and_all_that_is_challenged() {
        let image: ImageRef = "127.0.0.1:5000/acme/web".parse().unwrap();
        let (pull, push) = (Scope::pull(&image), Scope::push(&image));
        let mount = Scope::mount(&image, &["acme/base".to_owned()]);
        let table = [
            (&pull, None, vec!["repository:acme/web:pull"]),
            (&pull, Some("repository:acme/web:pull"), vec!["repository:acme/web:pull"]),
            (&push, Some("repository:acme/web:pull"), vec!["repository:acme/web:pull,push"]),
            (&push, Some("repository:acme/web:push,pull"), vec!["repository:acme/web:pull,push"]),
            (
                &push,
                Some("repository:acme/web:delete"),
                vec!["repository:acme/web:pull,push", "repository:acme/web:delete"],
            ),
            (
                &mount,
                Some("repository:acme/web:pull,push repository:acme/base:pull"),
                vec!["repository:acme/web:pull,push", "repository:acme/base:pull"],
            ),
        ];
        for (scope, challenged, asked) in table {
            assert_eq!(scope.to_ask(challenged), asked, "{scope:?} {challenged:?}");
        }
    }
}
