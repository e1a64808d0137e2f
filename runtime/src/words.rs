//! What a refusal means, by the engine's words. The status alone tells too little: Podman sends 500 for most.
//!
//! Docker Engine has changed its words over the years, and Podman has its own; each predicate knows all of them.

fn any(message: &str, words: &[&str]) -> bool {
    let message = message.to_lowercase();
    words.iter().any(|words| message.contains(words))
}

/// There is no such container.
pub(crate) fn no_container(message: &str) -> bool {
    any(message, &["no such container", "no container with name or id"])
}

/// There is no such image.
pub(crate) fn no_image(message: &str) -> bool {
    any(message, &["no such image", "image not known"])
}

/// There is no such network.
pub(crate) fn no_network(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("network") && message.contains("not found")
}

/// The container runs, so that it cannot be removed. Up to version 24 the engine speaks of "a running container".
pub(crate) fn still_running(message: &str) -> bool {
    const WORDS: &[&str] = &[
        "running container",
        "container is running",
        "container is restarting",
        "container is paused",
        "as it is running",
        "as it is paused",
    ];
    any(message, WORDS) && !not_running(message)
}

/// The container does not run, so that nothing can be done in it.
pub(crate) fn not_running(message: &str) -> bool {
    const WORDS: &[&str] =
        &["is not running", "can only kill running containers", "can only create exec sessions on running"];
    any(message, WORDS)
}

/// The name belongs to another container.
pub(crate) fn name_taken(message: &str) -> bool {
    any(message, &["is already in use by", "name is already in use", "already in use, cannot rename"])
}

/// A port or a fixed address belongs to another.
pub(crate) fn address_taken(message: &str) -> bool {
    let podman = any(message, &["requested ip address"]) && any(message, &["already allocated"]);
    podman || any(message, &["port is already allocated", "address already in use"])
}

/// The subnet overlaps with one in use.
pub(crate) fn subnet_taken(message: &str) -> bool {
    let podman =
        any(message, &["subnet"]) && any(message, &["is already used on the host", "is already used by"]);
    podman || any(message, &["overlaps"])
}

/// A container is on the network.
pub(crate) fn network_in_use(message: &str) -> bool {
    any(message, &["active endpoints", "network is being used", "has associated containers"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_engine_are_known() {
        type Said = fn(&str) -> bool;
        let said: [(Said, &str); 20] = [
            (no_container, "No such container: web"),
            (no_container, "no container with name or ID \"web\" found: no such container"),
            (no_image, "No such image: acme/web:1"),
            (no_image, "no such image: docker.io/acme/web:1: image not known"),
            (no_network, "network web not found"),
            (no_network, "container create: unable to find network with name or ID web: network not found"),
            (
                still_running,
                "You cannot remove a running container 0a1b. Stop the container before attempting removal",
            ),
            (
                still_running,
                "cannot remove container \"web\": container is running: stop the container before",
            ),
            (
                still_running,
                "cannot remove container 0a1b as it is running - running or paused containers cannot be",
            ),
            (not_running, "Cannot kill container: web: Container 0a1b is not running"),
            (
                not_running,
                "can only kill running containers. 0a1b is in state exited: container state improper",
            ),
            (not_running, "can only create exec sessions on running containers: container state improper"),
            (name_taken, "Conflict. The container name \"/web\" is already in use by container \"0a1b\"."),
            (
                name_taken,
                "creating container storage: the container name \"web\" is already in use by 0a1b. You",
            ),
            (name_taken, "renaming container 0a1b: name web already in use, cannot rename container 0a1b"),
            (address_taken, "Bind for 127.0.0.1:80 failed: port is already allocated"),
            (
                address_taken,
                "IPAM error: requested ip address 10.89.0.9 is already allocated to container ID 0a1b",
            ),
            (subnet_taken, "invalid pool request: Pool overlaps with other one on this address space"),
            (subnet_taken, "subnet 10.89.0.0/16 is already used on the host or by another config"),
            (
                network_in_use,
                "\"web\" has associated containers with it. Use -f to forcibly delete containers",
            ),
        ];
        let all: [Said; 9] = [
            no_container,
            no_image,
            no_network,
            still_running,
            not_running,
            name_taken,
            address_taken,
            subnet_taken,
            network_in_use,
        ];
        for (meant, message) in said {
            let meaning: Vec<bool> = all.iter().map(|says| says(message)).collect();
            assert!(meant(message), "{message}");
            assert_eq!(meaning.iter().filter(|means| **means).count(), 1, "{message}: {meaning:?}");
        }
    }
}
