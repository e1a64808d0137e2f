# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_cutover_global_optspecs
    string join \n c/config= json q/quiet v/verbose color= h/help V/version
end

function __fish_cutover_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_cutover_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_cutover_using_subcommand
    set -l cmd (__fish_cutover_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c cutover -n "__fish_cutover_needs_command" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_needs_command" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_needs_command" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_needs_command" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_needs_command" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_needs_command" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "build" -d 'Build an app\'s image'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "push" -d 'Push the image that was built, and print its digest'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "plan" -d 'Show what a deploy would do; change nothing'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "deploy" -d 'Make a release live without losing a request'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "backup" -d 'Give the standby slot the live release, and remove old images'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "rollback" -d 'Go back to the release before, or to another'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "ship" -d 'Build and push where the file says how and no image is named; then deploy, back up and notify'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "promote" -d 'Make the release that waits live'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "abort" -d 'Drop the release that waits, and put its slot back as it was'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "doctor" -d 'Check everything that a deploy needs; change nothing'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "status" -d 'Show what is live and what stands by'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "history" -d 'Show what was deployed when, and by whom'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "report" -d 'Show how a run went: as text, or as a page or a chart that needs nothing else'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "logs" -d 'Show the output of a slot\'s containers'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "init" -d 'Write a first cutover.toml, and workflows for GitHub Actions'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "notify" -d 'Tell Slack how a job ended, and do nothing else'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "nginx" -d 'The nginx side alone'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "image" -d 'The registry side alone'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "config" -d 'The configuration file'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "man" -d 'Print the manual page, in roff'
complete -c cutover -n "__fish_cutover_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cutover -n "__fish_cutover_using_subcommand build" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand build" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand build" -l push -d 'Push the image under its tags too, and print its digest'
complete -c cutover -n "__fish_cutover_using_subcommand build" -l no-cache -d 'Take no layer of an earlier build'
complete -c cutover -n "__fish_cutover_using_subcommand build" -l pull -d 'Ask the registries for newer base images'
complete -c cutover -n "__fish_cutover_using_subcommand build" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand build" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand build" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand build" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand build" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand push" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand push" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand push" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand push" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand push" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand push" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand push" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand plan" -l image -d 'The image instead of the file\'s, by tag or digest' -r
complete -c cutover -n "__fish_cutover_using_subcommand plan" -l canary -d 'Give the release to these shares of the clients first, in percent, and watch each: 5,25,50' -r
complete -c cutover -n "__fish_cutover_using_subcommand plan" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand plan" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand plan" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand plan" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand plan" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand plan" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -l image -d 'The image instead of the file\'s, by tag or digest' -r
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -l canary -d 'Give the release to these shares of the clients first, in percent, and watch each: 5,25,50' -r
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -l probe -d 'Put so many requests a second on the site during the run, and tell how they were answered' -r
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -l no-promote -d 'Let the release wait in the standby slot until `promote` or `abort`'
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -l wait -d 'Wait for another run of this app to end'
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand deploy" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand backup" -l probe -d 'Put so many requests a second on the site during the run, and tell how they were answered' -r
complete -c cutover -n "__fish_cutover_using_subcommand backup" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand backup" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand backup" -l wait -d 'Wait for another run of this app to end'
complete -c cutover -n "__fish_cutover_using_subcommand backup" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand backup" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand backup" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand backup" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand rollback" -l to -d 'The release: a digest, its beginning, or a release\'s id, as `history` shows them' -r
complete -c cutover -n "__fish_cutover_using_subcommand rollback" -l probe -d 'Put so many requests a second on the site during the run, and tell how they were answered' -r
complete -c cutover -n "__fish_cutover_using_subcommand rollback" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand rollback" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand rollback" -l wait -d 'Wait for another run of this app to end'
complete -c cutover -n "__fish_cutover_using_subcommand rollback" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand rollback" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand rollback" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand rollback" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand ship" -l image -d 'The image instead of the file\'s, by tag or digest' -r
complete -c cutover -n "__fish_cutover_using_subcommand ship" -l canary -d 'Give the release to these shares of the clients first, in percent, and watch each: 5,25,50' -r
complete -c cutover -n "__fish_cutover_using_subcommand ship" -l probe -d 'Put so many requests a second on the site during the run, and tell how they were answered' -r
complete -c cutover -n "__fish_cutover_using_subcommand ship" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand ship" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand ship" -l no-promote -d 'Let the release wait in the standby slot until `promote` or `abort`'
complete -c cutover -n "__fish_cutover_using_subcommand ship" -l wait -d 'Wait for another run of this app to end'
complete -c cutover -n "__fish_cutover_using_subcommand ship" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand ship" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand ship" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand ship" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand ship" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand promote" -l probe -d 'Put so many requests a second on the site during the run, and tell how they were answered' -r
complete -c cutover -n "__fish_cutover_using_subcommand promote" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand promote" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand promote" -l wait -d 'Wait for another run of this app to end'
complete -c cutover -n "__fish_cutover_using_subcommand promote" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand promote" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand promote" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand promote" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand promote" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand abort" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand abort" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand abort" -l wait -d 'Wait for another run of this app to end'
complete -c cutover -n "__fish_cutover_using_subcommand abort" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand abort" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand abort" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand abort" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand abort" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand doctor" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand doctor" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand doctor" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand doctor" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand doctor" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand status" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand status" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand status" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand status" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand status" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand status" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand history" -s n -l limit -d 'So many of the newest' -r
complete -c cutover -n "__fish_cutover_using_subcommand history" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand history" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand history" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand history" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand history" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand history" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand report" -l html -d 'Make one page of it, in a file or on stdout' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand report" -l svg -d 'Draw the chart alone, to a file or to stdout' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand report" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand report" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand report" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand report" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand report" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand report" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand logs" -l slot -d 'The slot instead of the live one' -r
complete -c cutover -n "__fish_cutover_using_subcommand logs" -s n -l tail -d 'So many of the last lines' -r
complete -c cutover -n "__fish_cutover_using_subcommand logs" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand logs" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand logs" -s f -l follow -d 'Go on as more comes'
complete -c cutover -n "__fish_cutover_using_subcommand logs" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand logs" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand logs" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand logs" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand init" -l name -d 'The app\'s name; the folder\'s if nothing is said' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -l image -d 'The image; the package on GHCR of the git remote\'s repository if nothing is said' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -l registry-user -d 'The user of the image\'s registry, whose password is read from `REGISTRY_PASSWORD`; for GHCR a token does' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -l port -d 'The port the app listens on in its container; the Dockerfile\'s EXPOSE if nothing is said' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -l health -d 'How a container is found to be well: an HTTP path, `tcp`, or `image` for the image\'s own HEALTHCHECK' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -l listen -d 'What nginx listens on for the app: a port, or an address and a port. 80 if nothing is said' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -l domain -d 'A name that the site answers to; again for each. All if nothing is said' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -l nginx -d 'Where nginx is: `host`, or `container:NAME`. This host\'s if nothing is said' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -l slack -d 'Whether Slack is told: `webhook` or `none`' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -l runner -d 'A label of the self-hosted runner on the server, besides `self-hosted`' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -l branch -d 'The branch whose pushes are deployed; the remote\'s default branch if nothing is said' -r
complete -c cutover -n "__fish_cutover_using_subcommand init" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand init" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand init" -l github -d 'Write workflows for GitHub Actions; so it is where the git remote is on GitHub'
complete -c cutover -n "__fish_cutover_using_subcommand init" -l no-github -d 'Write none'
complete -c cutover -n "__fish_cutover_using_subcommand init" -s y -l yes -d 'Ask nothing: take what was found, and the defaults'
complete -c cutover -n "__fish_cutover_using_subcommand init" -l force -d 'Write over files that are there and say something else'
complete -c cutover -n "__fish_cutover_using_subcommand init" -l print -d 'Print the files instead of writing them'
complete -c cutover -n "__fish_cutover_using_subcommand init" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand init" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand init" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand init" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand notify" -l status -d 'How it ended: success, failure, cancelled, rolled-back or waiting' -r
complete -c cutover -n "__fish_cutover_using_subcommand notify" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand notify" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand notify" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand notify" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand notify" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand notify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand notify" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -f -a "render" -d 'Print the files as they are to be'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -f -a "check" -d 'Compare them with what is installed and with what nginx serves, and have nginx check its configuration'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -f -a "apply" -d 'Install them and reload nginx if that changes anything'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and not __fish_seen_subcommand_from render check apply help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from render" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from render" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from render" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from render" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from render" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from render" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from render" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from check" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from check" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from check" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from apply" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from apply" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from apply" -l wait -d 'Wait for another run of this app to end'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from apply" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from apply" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from apply" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from apply" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from help" -f -a "render" -d 'Print the files as they are to be'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from help" -f -a "check" -d 'Compare them with what is installed and with what nginx serves, and have nginx check its configuration'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from help" -f -a "apply" -d 'Install them and reload nginx if that changes anything'
complete -c cutover -n "__fish_cutover_using_subcommand nginx; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -f -a "resolve" -d 'Print the digest that a tag stands for'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -f -a "inspect" -d 'Print what an image is: its platforms, configuration and layers'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -f -a "tags" -d 'Print the tags of a repository'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -f -a "referrers" -d 'Print what refers to an image: signatures, attestations and the like'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -f -a "pull" -d 'Pull an image to an OCI image layout, or into the engine'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -f -a "push" -d 'Push the image of an OCI image layout'
complete -c cutover -n "__fish_cutover_using_subcommand image; and not __fish_seen_subcommand_from resolve inspect tags referrers pull push help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from resolve" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from resolve" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from resolve" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from resolve" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from resolve" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from resolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from resolve" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from inspect" -l platform -d 'The platform instead of this machine\'s, such as linux/arm64' -r
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from inspect" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from inspect" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from inspect" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from inspect" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from inspect" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from inspect" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from tags" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from tags" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from tags" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from tags" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from tags" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from tags" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from tags" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from referrers" -l artifact-type -d 'Only those of this type' -r
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from referrers" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from referrers" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from referrers" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from referrers" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from referrers" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from referrers" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from referrers" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -s o -l output -d 'The folder of the layout' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -l platform -d 'The platform instead of this machine\'s, such as linux/arm64' -r
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -l load -d 'Have the engine take it, instead of a folder'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -l all-platforms -d 'The images of all platforms, and the index as it is'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from pull" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from push" -l entry -d 'Which of the layout\'s images, by its name there; may be left out when it has one' -r
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from push" -l tag -d 'A tag besides; may be given several times' -r
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from push" -l mount-from -d 'A repository of the same registry that may have the layers already, such as acme/base; may be given several times' -r
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from push" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from push" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from push" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from push" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from push" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from push" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from push" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "resolve" -d 'Print the digest that a tag stands for'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "inspect" -d 'Print what an image is: its platforms, configuration and layers'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "tags" -d 'Print the tags of a repository'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "referrers" -d 'Print what refers to an image: signatures, attestations and the like'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "pull" -d 'Pull an image to an OCI image layout, or into the engine'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "push" -d 'Push the image of an OCI image layout'
complete -c cutover -n "__fish_cutover_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cutover -n "__fish_cutover_using_subcommand config; and not __fish_seen_subcommand_from schema check help" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand config; and not __fish_seen_subcommand_from schema check help" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand config; and not __fish_seen_subcommand_from schema check help" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand config; and not __fish_seen_subcommand_from schema check help" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand config; and not __fish_seen_subcommand_from schema check help" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand config; and not __fish_seen_subcommand_from schema check help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand config; and not __fish_seen_subcommand_from schema check help" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand config; and not __fish_seen_subcommand_from schema check help" -f -a "schema" -d 'Print its JSON schema'
complete -c cutover -n "__fish_cutover_using_subcommand config; and not __fish_seen_subcommand_from schema check help" -f -a "check" -d 'Read it and say whether it is right'
complete -c cutover -n "__fish_cutover_using_subcommand config; and not __fish_seen_subcommand_from schema check help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from schema" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from schema" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from schema" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from schema" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from check" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from check" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from check" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Print its JSON schema'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Read it and say whether it is right'
complete -c cutover -n "__fish_cutover_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cutover -n "__fish_cutover_using_subcommand completions" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand completions" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand completions" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand completions" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand completions" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand completions" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand man" -s c -l config -d 'The configuration' -r -F
complete -c cutover -n "__fish_cutover_using_subcommand man" -l color -d 'Whether to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c cutover -n "__fish_cutover_using_subcommand man" -l json -d 'Print one JSON object'
complete -c cutover -n "__fish_cutover_using_subcommand man" -s q -l quiet -d 'Tell only errors'
complete -c cutover -n "__fish_cutover_using_subcommand man" -s v -l verbose -d 'Tell more; twice for every detail'
complete -c cutover -n "__fish_cutover_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cutover -n "__fish_cutover_using_subcommand man" -s V -l version -d 'Print version'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "build" -d 'Build an app\'s image'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "push" -d 'Push the image that was built, and print its digest'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "plan" -d 'Show what a deploy would do; change nothing'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "deploy" -d 'Make a release live without losing a request'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "backup" -d 'Give the standby slot the live release, and remove old images'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "rollback" -d 'Go back to the release before, or to another'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "ship" -d 'Build and push where the file says how and no image is named; then deploy, back up and notify'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "promote" -d 'Make the release that waits live'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "abort" -d 'Drop the release that waits, and put its slot back as it was'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "doctor" -d 'Check everything that a deploy needs; change nothing'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "status" -d 'Show what is live and what stands by'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "history" -d 'Show what was deployed when, and by whom'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "report" -d 'Show how a run went: as text, or as a page or a chart that needs nothing else'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "logs" -d 'Show the output of a slot\'s containers'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "init" -d 'Write a first cutover.toml, and workflows for GitHub Actions'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "notify" -d 'Tell Slack how a job ended, and do nothing else'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "nginx" -d 'The nginx side alone'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "image" -d 'The registry side alone'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "config" -d 'The configuration file'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "completions" -d 'Print the completions for a shell'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "man" -d 'Print the manual page, in roff'
complete -c cutover -n "__fish_cutover_using_subcommand help; and not __fish_seen_subcommand_from build push plan deploy backup rollback ship promote abort doctor status history report logs init notify nginx image config completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from nginx" -f -a "render" -d 'Print the files as they are to be'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from nginx" -f -a "check" -d 'Compare them with what is installed and with what nginx serves, and have nginx check its configuration'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from nginx" -f -a "apply" -d 'Install them and reload nginx if that changes anything'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "resolve" -d 'Print the digest that a tag stands for'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "inspect" -d 'Print what an image is: its platforms, configuration and layers'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "tags" -d 'Print the tags of a repository'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "referrers" -d 'Print what refers to an image: signatures, attestations and the like'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "pull" -d 'Pull an image to an OCI image layout, or into the engine'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "push" -d 'Push the image of an OCI image layout'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "schema" -d 'Print its JSON schema'
complete -c cutover -n "__fish_cutover_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Read it and say whether it is right'
