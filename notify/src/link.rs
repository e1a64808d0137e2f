//! Pages on GitHub and GitLab that are made from what is known, without asking.

/// The page of what changed between two commits, for a repository on GitHub or GitLab.
///
/// None where it would lead nowhere: a commit that is none or has uncommitted changes, the same commit twice, or an
/// address that is not that of a repository in a browser.
///
/// ```
/// use cutover_notify::compare_url;
///
/// let url = compare_url("https://github.com/acme/web", "0f5c1d2e", "8a9b0c1d");
/// assert_eq!(url.as_deref(), Some("https://github.com/acme/web/compare/0f5c1d2e...8a9b0c1d"));
/// ```
#[must_use]
pub fn compare_url(repo_url: &str, before: &str, after: &str) -> Option<String> {
    let web = repo_url.starts_with("https://") || repo_url.starts_with("http://");
    let well = web && is_commit(before) && is_commit(after) && before != after;
    let repo_url = repo_url.trim_end_matches('/');
    // GitLab's own pages stand behind `/-/`; GitHub and its Enterprise Server have none such.
    let path = if host(repo_url).contains("gitlab") { "-/compare" } else { "compare" };
    well.then(|| format!("{repo_url}/{path}/{before}...{after}"))
}

/// The page of an image on GHCR, by its reference. None for an image elsewhere.
///
/// A package that is named after the repository that deploys it (`ghcr.io/OWNER/REPO`, or a name below that) has a page
/// there: `github.com/OWNER/REPO/pkgs/container/REPO`. Of any other, the reference tells the owner alone, and not
/// whether that is an organization: the address is the one that organizations have, and for a user's own package it
/// leads nowhere.
///
/// ```
/// use cutover_notify::package_url;
///
/// let url = package_url("ghcr.io/acme/web:1.4", Some("acme/web"));
/// assert_eq!(url.as_deref(), Some("https://github.com/acme/web/pkgs/container/web"));
/// let url = package_url("ghcr.io/acme/tools/web:1.4", None);
/// assert_eq!(url.as_deref(), Some("https://github.com/orgs/acme/packages/container/package/tools%2Fweb"));
/// ```
#[must_use]
pub fn package_url(image: &str, repo: Option<&str>) -> Option<String> {
    let path = image.strip_prefix("ghcr.io/")?;
    let path = path.split('@').next().unwrap_or(path);
    let path = path.split(':').next().unwrap_or(path);
    let (owner, name) = path.split_once('/')?;
    if [owner, name].iter().any(|part| part.is_empty() || !part.bytes().all(is_plain)) {
        return None;
    }
    let package = name.replace('/', "%2F");
    let named_after = repo.filter(|repo| {
        let first = name.split('/').next().unwrap_or(name);
        repo.split_once('/').is_some_and(|(of, name)| {
            of.eq_ignore_ascii_case(owner) && name.eq_ignore_ascii_case(first) && name.bytes().all(is_plain)
        })
    });
    Some(match named_after {
        Some(repo) => format!("https://github.com/{repo}/pkgs/container/{package}"),
        None => format!("https://github.com/orgs/{owner}/packages/container/package/{package}"),
    })
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What stands in the name of a repository or a package without an escape.
fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._/".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_is_linked_only_where_both_commits_are_known() {
        let (before, after) = ("0f5c1d2e3a", "8a9b0c1d2e");
        let gitlab = compare_url("https://gitlab.example/acme/web/", before, after);
        assert_eq!(
            gitlab.as_deref(),
            Some("https://gitlab.example/acme/web/-/compare/0f5c1d2e3a...8a9b0c1d2e")
        );
        for (repo, before, after) in [
            ("https://github.com/acme/web", before, before),
            ("https://github.com/acme/web", "0f5c1d2e3a-dirty", after),
            ("https://github.com/acme/web", "", after),
            ("git@github.com:acme/web", before, after),
        ] {
            assert_eq!(compare_url(repo, before, after), None, "{repo} {before} {after}");
        }
    }

    #[test]
    fn a_package_is_linked_under_its_repository_where_that_is_sure() {
        let of = |image: &str, repo: Option<&str>| package_url(image, repo);
        let sure = Some("https://github.com/Acme/Web/pkgs/container/web".to_owned());
        assert_eq!(of(&format!("ghcr.io/acme/web@sha256:{}", "a".repeat(64)), Some("Acme/Web")), sure);
        let below = Some("https://github.com/acme/web/pkgs/container/web%2Fapi".to_owned());
        assert_eq!(of("ghcr.io/acme/web/api:1", Some("acme/web")), below);
        let of_owner = Some("https://github.com/orgs/acme/packages/container/package/web".to_owned());
        assert_eq!(of("ghcr.io/acme/web:1", Some("acme/infra")), of_owner);
        assert_eq!(of("ghcr.io/acme/web:1", Some("other/web")), of_owner);
        for none in ["docker.io/acme/web:1", "nginx", "ghcr.io/web", "ghcr.io/acme/", "ghcr.io/a b/web"] {
            assert_eq!(of(none, Some("acme/web")), None, "{none}");
        }
    }
}
