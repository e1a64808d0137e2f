//! Platforms, value against value.

use cutover_registry::Platform;

#[test]
fn platforms_are_read_under_any_of_their_names() {
    for (text, normal) in [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64/v8"),
        ("linux/armhf", "linux/arm/v7"),
        ("windows/amd64", "windows/amd64"),
    ] {
        let platform: Platform = text.parse().unwrap();
        assert_eq!(platform.to_string(), normal);
        assert_eq!(platform.to_string().parse::<Platform>().unwrap(), platform);
    }
}

#[test]
fn what_is_no_platform_is_refused() {
    for text in
        ["", "linux", "linux/", "/amd64", "linux/amd64/", "linux/arm/v7/x", "linux /amd64", "linux/amd64\n"]
    {
        text.parse::<Platform>().expect_err(text);
    }
}

#[test]
fn this_machine_has_a_platform() {
    let host = Platform::host();
    assert_eq!(host.to_string().parse::<Platform>().unwrap(), host);
}
