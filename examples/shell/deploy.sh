#!/bin/sh
# One release in single steps: resolve, deploy, try, back up, tell.
#
#   deploy.sh IMAGE:TAG SMOKE-TEST [ARGUMENT...]
#   deploy.sh ghcr.io/acme/web:1.4 curl --fail --silent --show-error https://example.com/healthz
#
# The status is 0 when the release is live, 6 when it was live, failed the smoke test and was taken back, and else that
# of the cutover command that failed. What `cutover deploy` says of it as JSON is left in ${REPORT:-deploy.json}.
set -eu

if [ "$#" -lt 2 ]; then
    echo "usage: deploy.sh IMAGE:TAG SMOKE-TEST [ARGUMENT...]" >&2
    exit 2
fi
image=$1
shift

say() {
    printf '%s\n' "deploy.sh: $*" >&2
}

# A notice that cannot be sent changes no verdict.
tell() {
    cutover notify --status "$1" >/dev/null || say "the notice was not sent"
}

# Ends with this status, and tells it.
fail() {
    if [ "$1" -eq 7 ]; then tell cancelled; else tell failure; fi
    exit "$1"
}

# The tag is looked up once: what is deployed is that digest, whatever is pushed meanwhile.
digest=$(cutover image resolve "$image") || fail "$?"
release=$image@$digest

status=0
cutover deploy --json --wait --image "$release" >"${REPORT:-deploy.json}" || status=$?
case $status in
    0) say "$release is live" ;;
    4) say "the release is not healthy and never had traffic; the old one serves" ;;
    6) say "the release failed after the switch; the old one serves again" ;;
    *) say "nothing was deployed" ;;
esac
[ "$status" -eq 0 ] || fail "$status"

if ! "$@"; then
    say "the smoke test failed; going back"
    cutover rollback --wait || fail "$?"
    tell rolled-back
    exit 6
fi

# The release is live and stays so, whatever becomes of its standby.
cutover backup --wait || say "the standby has not got the release; cutover backup does it again"
tell success
