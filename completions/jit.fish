# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_jit_global_optspecs
    string join \n ledger= as= key= json y/yes q/quiet v/verbose h/help V/version
end

function __fish_jit_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_jit_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_jit_using_subcommand
    set -l cmd (__fish_jit_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c jit -n "__fish_jit_needs_command" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_needs_command" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_needs_command" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_needs_command" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_needs_command" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_needs_command" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_needs_command" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_needs_command" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_needs_command" -f -a "demo" -d 'The whole life of a case in a temporary ledger, each step shown'
complete -c jit -n "__fish_jit_needs_command" -f -a "init" -d 'Make a new ledger'
complete -c jit -n "__fish_jit_needs_command" -f -a "clone" -d 'Clone a ledger, verify it from its first event, and remember what was seen'
complete -c jit -n "__fish_jit_needs_command" -f -a "request" -d 'Ask for access to TARGET/ROLE for a while'
complete -c jit -n "__fish_jit_needs_command" -f -a "approve" -d 'Agree to a request'
complete -c jit -n "__fish_jit_needs_command" -f -a "deny" -d 'Refuse a request. One denial by somebody who might approve ends the case'
complete -c jit -n "__fish_jit_needs_command" -f -a "withdraw" -d 'Take your own request back, before a credential is issued'
complete -c jit -n "__fish_jit_needs_command" -f -a "extend" -d 'Ask for more time: a new case that continues this one, with approvals of its own'
complete -c jit -n "__fish_jit_needs_command" -f -a "mint" -d 'Issue every credential that is due. For the minter, a service of the policy'
complete -c jit -n "__fish_jit_needs_command" -f -a "credential" -d 'Print the certificate of a live case, one OpenSSH line'
complete -c jit -n "__fish_jit_needs_command" -f -a "ssh" -d 'Connect to HOST with your live credential; ask for one, wait for it and close the case afterwards where wanted'
complete -c jit -n "__fish_jit_needs_command" -f -a "exec" -d 'Run a command with the credential of a live case'
complete -c jit -n "__fish_jit_needs_command" -f -a "close" -d 'Say that the work is done. It ends the access at once'
complete -c jit -n "__fish_jit_needs_command" -f -a "revoke" -d 'End a case at once: its credential opens nothing any more'
complete -c jit -n "__fish_jit_needs_command" -f -a "incident" -d 'One incident: its timeline, what overlapped it, its evidence, and by when others must be told'
complete -c jit -n "__fish_jit_needs_command" -f -a "lock" -d 'Stop a member, a target, an environment or the whole ledger at once'
complete -c jit -n "__fish_jit_needs_command" -f -a "unlock" -d 'Lift a lock: propose it to the root members, and put it in force once enough of them agree'
complete -c jit -n "__fish_jit_needs_command" -f -a "panic" -d 'Lock the whole ledger, and say on one screen what to do next'
complete -c jit -n "__fish_jit_needs_command" -f -a "review" -d 'Look at a case that has ended, and answer each check of the policy'
complete -c jit -n "__fish_jit_needs_command" -f -a "play" -d 'Play the recording of a session, after holding it against the ledger'
complete -c jit -n "__fish_jit_needs_command" -f -a "status" -d 'What waits for you, what is live and for how long'
complete -c jit -n "__fish_jit_needs_command" -f -a "watch" -d 'Watch what is pending, live, locked and due, as it happens'
complete -c jit -n "__fish_jit_needs_command" -f -a "list" -d 'List cases, the newest last'
complete -c jit -n "__fish_jit_needs_command" -f -a "show" -d 'Show one case whole: what was asked, who agreed, what was issued, how it ended'
complete -c jit -n "__fish_jit_needs_command" -f -a "link" -d 'Print a link to a case, or its QR code: for a ticket, a chat, another machine'
complete -c jit -n "__fish_jit_needs_command" -f -a "log" -d 'The history, one event a line, the newest first'
complete -c jit -n "__fish_jit_needs_command" -f -a "audit" -d 'Evidence for examiners: what a stranger can check years later, offline'
complete -c jit -n "__fish_jit_needs_command" -f -a "export" -d 'Give every event to other systems: a file, a log collector, an HTTP endpoint'
complete -c jit -n "__fish_jit_needs_command" -f -a "notify" -d 'Tell people what waits for them: by chat, e-mail, webhook, a command or here'
complete -c jit -n "__fish_jit_needs_command" -f -a "verify" -d 'Check the ledger: every commit, signature and rule since the first one'
complete -c jit -n "__fish_jit_needs_command" -f -a "sync" -d 'Fetch from the remote, verify what came, and deliver what still waits here'
complete -c jit -n "__fish_jit_needs_command" -f -a "hook" -d 'Keep bad pushes out of a shared repository'
complete -c jit -n "__fish_jit_needs_command" -f -a "fold" -d 'Take what waits in the inbox onto main, where the policy says append = "inbox"'
complete -c jit -n "__fish_jit_needs_command" -f -a "checkpoint" -d 'Sign how large the ledger is and what its root is, for everybody to compare. For CI, with the log\'s key'
complete -c jit -n "__fish_jit_needs_command" -f -a "witness" -d 'Cosign the newest checkpoint: say that the ledger, verified from its first event, only grew since you said so last'
complete -c jit -n "__fish_jit_needs_command" -f -a "policy" -d 'Look at the policy, and change it: who may do what'
complete -c jit -n "__fish_jit_needs_command" -f -a "member" -d 'Who is in the policy: people come and go, keys are exchanged. Each change is a proposal to the root members'
complete -c jit -n "__fish_jit_needs_command" -f -a "ledger" -d 'Look after the ledger\'s own files'
complete -c jit -n "__fish_jit_needs_command" -f -a "host" -d 'The server\'s side: admit what the ledger holds, record it, end it'
complete -c jit -n "__fish_jit_needs_command" -f -a "doctor" -d 'Say what is set up, what is missing, and the command that mends it'
complete -c jit -n "__fish_jit_needs_command" -f -a "completions" -d 'Print the completions of a shell'
complete -c jit -n "__fish_jit_needs_command" -f -a "man" -d 'Print the manual page, or write one for each command'
complete -c jit -n "__fish_jit_using_subcommand demo" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand demo" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand demo" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand demo" -l keep -d 'Keep the ledger and its keys, and say where they are'
complete -c jit -n "__fish_jit_using_subcommand demo" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand demo" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand demo" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand demo" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand demo" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand init" -l name -d 'The ledger\'s name, such as acme/production' -r
complete -c jit -n "__fish_jit_using_subcommand init" -l email -d 'Your e-mail address' -r
complete -c jit -n "__fish_jit_using_subcommand init" -l policy -d 'The first policy' -r -F
complete -c jit -n "__fish_jit_using_subcommand init" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand init" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand init" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand init" -l bare -d 'Without a work tree'
complete -c jit -n "__fish_jit_using_subcommand init" -l no-template -d 'Only policy.toml and allowed_signers: no README, no CI workflows, no scenarios'
complete -c jit -n "__fish_jit_using_subcommand init" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand init" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand init" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand init" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand init" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand clone" -l ledger-id -d 'The ledger that it must be: sha256:…, told to you by somebody you trust' -r
complete -c jit -n "__fish_jit_using_subcommand clone" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand clone" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand clone" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand clone" -l bare -d 'Without a work tree'
complete -c jit -n "__fish_jit_using_subcommand clone" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand clone" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand clone" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand clone" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand clone" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand clone" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand request" -l for -d 'For how long, such as 30m; counted from the credential, not while people wait for approvers' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l reason -d 'Why it is needed' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l ticket -d 'The ticket, where the role demands one' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l incident -d 'The incident; an emergency must name one' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l risk -d 'How high the risk is' -r -f -a "low\t''
medium\t''
high\t''"
complete -c jit -n "__fish_jit_using_subcommand request" -l impact -d 'What can go wrong' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l rollback -d 'How it is undone' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l data -d 'A class of data that may be seen; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l least-privilege -d 'Why a smaller role does not do' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l at -d 'Not before this time (a booked window), such as 2026-11-24T01:00Z or 2026-11-24T02:00+01:00' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l extends -d 'The case that this one continues' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l credential-key -d 'The public key to be certified [default: the key that signs]' -r -F
complete -c jit -n "__fish_jit_using_subcommand request" -l source-address -d 'Where the login will come from; may be given several times, and only narrows what the role allows' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l wait -d 'Wait until the credential is there, at most for DURATION; exits with 8 if it is still pending then' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand request" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand request" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand request" -l emergency -d 'Break-glass: the credential comes before the approvals, and a review must follow'
complete -c jit -n "__fish_jit_using_subcommand request" -l dry-run -d 'Sign nothing; say what would happen and who would have to approve'
complete -c jit -n "__fish_jit_using_subcommand request" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand request" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand request" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand request" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand request" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand request" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand approve" -l comment -d 'What there is to say about it' -r
complete -c jit -n "__fish_jit_using_subcommand approve" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand approve" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand approve" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand approve" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand approve" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand approve" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand approve" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand approve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand approve" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand deny" -l comment -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand deny" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand deny" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand deny" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand deny" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand deny" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand deny" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand deny" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand deny" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand deny" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand withdraw" -l comment -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand withdraw" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand withdraw" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand withdraw" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand withdraw" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand withdraw" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand withdraw" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand withdraw" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand withdraw" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand withdraw" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand extend" -l for -d 'For how long, such as 30m; counted from the new credential' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -l reason -d 'Why it takes longer [default: as before]' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -l wait -d 'Wait until the credential is there, at most for DURATION; exits with 8 if it is still pending then' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand extend" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand extend" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand extend" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand extend" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand extend" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand extend" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand extend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand extend" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand mint" -l ca -d 'The CA key of an environment; may be given several times, also for one environment' -r
complete -c jit -n "__fish_jit_using_subcommand mint" -l interval -d 'How often --watch looks at the remote [default: 5s]' -r
complete -c jit -n "__fish_jit_using_subcommand mint" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand mint" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand mint" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand mint" -l watch -d 'Go on, and issue what becomes due, until SIGTERM or Ctrl-C. With --json: one object an event'
complete -c jit -n "__fish_jit_using_subcommand mint" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand mint" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand mint" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand mint" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand mint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand mint" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand credential" -l out -d 'Write it to FILE instead' -r -F
complete -c jit -n "__fish_jit_using_subcommand credential" -l environment -d 'The environment, where the case has a credential in several' -r
complete -c jit -n "__fish_jit_using_subcommand credential" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand credential" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand credential" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand credential" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand credential" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand credential" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand credential" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand credential" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand credential" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand ssh" -l case -d 'The case whose credential is used [default: your live one]' -r
complete -c jit -n "__fish_jit_using_subcommand ssh" -l role -d 'Which role of the case [default: the first on a target that HOST serves]' -r
complete -c jit -n "__fish_jit_using_subcommand ssh" -l wait -d 'Wait for a credential that is on its way, at most for DURATION; exits with 8 if it is not there then. At a terminal this is the default, without an end' -r
complete -c jit -n "__fish_jit_using_subcommand ssh" -l close -d 'Close the case after logout; TEXT says what was done, and is asked for where it is missing' -r
complete -c jit -n "__fish_jit_using_subcommand ssh" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand ssh" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand ssh" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand ssh" -l no-close -d 'Do not ask after logout whether to close the case'
complete -c jit -n "__fish_jit_using_subcommand ssh" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand ssh" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand ssh" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand ssh" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand ssh" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand ssh" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand exec" -l environment -d 'The environment, where the case has a credential in several' -r
complete -c jit -n "__fish_jit_using_subcommand exec" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand exec" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand exec" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand exec" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand exec" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand exec" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand exec" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand exec" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand close" -l summary -d 'What was done' -r
complete -c jit -n "__fish_jit_using_subcommand close" -l change -d 'Something that was changed, and how it was undone or why it stays; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand close" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand close" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand close" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand close" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand close" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand close" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand close" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand close" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand close" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand revoke" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand revoke" -l incident -d 'The incident, where there is one' -r
complete -c jit -n "__fish_jit_using_subcommand revoke" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand revoke" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand revoke" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand revoke" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand revoke" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand revoke" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand revoke" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand revoke" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand revoke" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -l at -d 'Judge what goes on at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -a "list" -d 'Every incident that something names'
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -a "clock" -d 'By when others must be told: 36 hours (12 CFR 53.3) and 72 hours (23 NYCRR 500.17(a)(1))'
complete -c jit -n "__fish_jit_using_subcommand incident; and not __fish_seen_subcommand_from list clock export" -a "export" -d 'Write one archive with the evidence of an incident, to be checked without jit'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from list" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from list" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from list" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from list" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from list" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -l determined-at -d 'When it was determined that there was an incident' -r
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -l at -d 'Show the clocks as they stand at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from clock" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from export" -l out -d 'The archive to write' -r -F
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from export" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from export" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from export" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from export" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from export" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand incident; and __fish_seen_subcommand_from export" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand lock" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand lock" -l incident -d 'The incident, where there is one' -r
complete -c jit -n "__fish_jit_using_subcommand lock" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand lock" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand lock" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand lock" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand lock" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand lock" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand lock" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand lock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand lock" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand unlock" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand unlock" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand unlock" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand unlock" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand unlock" -l enact -d 'Only put in force what was proposed and approved; propose nothing'
complete -c jit -n "__fish_jit_using_subcommand unlock" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand unlock" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand unlock" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand unlock" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand unlock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand unlock" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand panic" -l reason -d 'Why. A few words are enough' -r
complete -c jit -n "__fish_jit_using_subcommand panic" -l incident -d 'The incident, where there is one' -r
complete -c jit -n "__fish_jit_using_subcommand panic" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand panic" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand panic" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand panic" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand panic" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand panic" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand panic" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand panic" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand panic" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand review" -l answer -d 'An answer to a check; once for each check' -r
complete -c jit -n "__fish_jit_using_subcommand review" -l verdict -d 'The outcome' -r -f -a "clean\t''
follow-up\t''"
complete -c jit -n "__fish_jit_using_subcommand review" -l follow-up -d 'The ticket that follows it up' -r
complete -c jit -n "__fish_jit_using_subcommand review" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand review" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand review" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand review" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand review" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand review" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand review" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand review" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand review" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand play" -l session -d 'Which of its sessions, counted from 1 [default: the only one]' -r
complete -c jit -n "__fish_jit_using_subcommand play" -l channel -d 'Only this one of the session\'s channels, counted from 1' -r
complete -c jit -n "__fish_jit_using_subcommand play" -l speed -d 'How much faster than it was' -r
complete -c jit -n "__fish_jit_using_subcommand play" -l max-idle -d 'Wait no longer than so many seconds where nothing happens' -r
complete -c jit -n "__fish_jit_using_subcommand play" -l export -d 'Write one channel as an asciicast file (`-`: to stdout) instead of playing it. What was typed is in it too' -r -F
complete -c jit -n "__fish_jit_using_subcommand play" -l recordings -d 'Where recordings lie, or the one file [default: recordings in config.toml, else /var/lib/jit/recordings]' -r -F
complete -c jit -n "__fish_jit_using_subcommand play" -l identity -d 'The recorder\'s private key file [default: the key that signs]' -r -F
complete -c jit -n "__fish_jit_using_subcommand play" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand play" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand play" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand play" -l follow -d 'Show a running session as it goes on, on its host; Ctrl-C ends it'
complete -c jit -n "__fish_jit_using_subcommand play" -l damaged -d 'Play what can be read of a recording that is damaged, or that the ledger does not vouch for; the exit code is 4'
complete -c jit -n "__fish_jit_using_subcommand play" -l raw -d 'Play every byte as recorded: the session\'s user can then do to your terminal whatever a terminal obeys'
complete -c jit -n "__fish_jit_using_subcommand play" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand play" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand play" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand play" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand play" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand play" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand status" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand status" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand status" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand status" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand status" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand status" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand status" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand status" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand watch" -l every -d 'How often to fetch the remote. One on this machine is fetched as soon as it moves' -r
complete -c jit -n "__fish_jit_using_subcommand watch" -l since -d 'With JSON, begin with the event at this position [default: the next one that comes]' -r
complete -c jit -n "__fish_jit_using_subcommand watch" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand watch" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand watch" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand watch" -l plain -d 'For a screen reader: the whole view as text, then one line a change; the cursor stays where it is'
complete -c jit -n "__fish_jit_using_subcommand watch" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand watch" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand watch" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand watch" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand watch" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand list" -l state -d 'Only cases in this state; may be given several times' -r -f -a "pending\t''
denied\t''
withdrawn\t''
lapsed\t''
approved\t''
live\t''
expired\t''
revoked\t''
closed\t''
review due\t''
overdue\t''
reviewed\t''
locked\t''
lifted\t''"
complete -c jit -n "__fish_jit_using_subcommand list" -l member -d 'Only cases of this member' -r
complete -c jit -n "__fish_jit_using_subcommand list" -l target -d 'Only cases that touch this target' -r
complete -c jit -n "__fish_jit_using_subcommand list" -l incident -d 'Only cases of this incident' -r
complete -c jit -n "__fish_jit_using_subcommand list" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand list" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand list" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand list" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand list" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand list" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand list" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand list" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand list" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand show" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand show" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand show" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand show" -l qr -d 'Show a link to it as a QR code, too: for `jit approve` on another machine. It gives no right'
complete -c jit -n "__fish_jit_using_subcommand show" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand show" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand show" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand show" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand show" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand show" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand link" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand link" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand link" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand link" -l qr -d 'Show it as a QR code'
complete -c jit -n "__fish_jit_using_subcommand link" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand link" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand link" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand link" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand link" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand link" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand log" -s n -l limit -d 'At most so many events' -r
complete -c jit -n "__fish_jit_using_subcommand log" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand log" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand log" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand log" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand log" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand log" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand log" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand log" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand log" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "population" -d 'The population: every case that was opened in a period, with fixed columns'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "sample" -d 'A sample of the accesses of a period, drawn by a seed: who draws again, draws the same'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "exceptions" -d 'Exceptions with their owner and age: overdue reviews, late ends, emergencies, void commits, residue, reciprocal approvals'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "emergencies" -d 'The register of emergencies: every break-glass request and the review afterwards'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "latency" -d 'How long it took: from revocation to session end, request to approval, approval to issuance'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "incident" -d 'One incident as one timeline: every event of every case, lock and revocation that names it'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "access-review" -d 'Who may and who did: roles never used, members never active, who approved whom, policies of the period'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "board" -d 'One page for the board: counts, medians, the rate of emergencies, reviews on time'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "controls" -d 'Controls and the evidence for each: how many records there are, what is checked, and the exceptions'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "bundle" -d 'Write one archive with the evidence of chosen cases, to be checked without jit'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "page" -d 'Write one HTML file to read, search and print, which checks its evidence again in the reader\'s browser'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "prove" -d 'Prove that an event is in the log: a file that anybody can check offline, years later'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "consistency" -d 'Prove that one checkpoint continues another: between them nothing was changed or taken out'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "check" -d 'Check a proof or a checkpoint with nothing but the file and the keys that you trust: no ledger, no network'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "tiles" -d 'Write the log as static files (C2SP tlog-tiles), which existing tools read from any web server or object store'
complete -c jit -n "__fish_jit_using_subcommand audit; and not __fish_seen_subcommand_from population sample exceptions emergencies latency incident access-review board controls bundle page prove consistency check tiles all" -f -a "all" -d 'Write everything for an examiner into one new folder: reports, controls, a sample, the bundle, the page, the log'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -l from -d 'Begin here, a date (its midnight) or a time in UTC [default: the beginning]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -l to -d 'End before this, a date or a time in UTC [default: no end]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -l kind -d 'Only cases that began so' -r -f -a "request\t''
lock\t''
proposal\t''"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -l format -d 'Print it so [default: by the name of --out, else text; json with --json]' -r -f -a "text\t'For people'
csv\t'For spreadsheets: fixed columns, no cell is a formula'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -l out -d 'Write it to this file instead, and its manifest to FILE.manifest.json' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from population" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l size -d 'How many cases' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l seed -d 'What the draw depends on: any text, best one that nobody could choose afterwards' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l from -d 'Begin here, a date (its midnight) or a time in UTC [default: the beginning]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l to -d 'End before this, a date or a time in UTC [default: no end]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l format -d 'Print the list so [default: text; json with --json, with the packets in it]' -r -f -a "text\t'For people'
csv\t'For spreadsheets: fixed columns, no cell is a formula'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l out -d 'Write the packets into this new directory' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from sample" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -l from -d 'Begin here, a date (its midnight) or a time in UTC [default: the beginning]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -l to -d 'End before this, a date or a time in UTC [default: no end]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -l format -d 'Print it so [default: by the name of --out, else text; json with --json]' -r -f -a "text\t'For people'
csv\t'For spreadsheets: fixed columns, no cell is a formula'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -l out -d 'Write it to this file instead, and its manifest to FILE.manifest.json' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from exceptions" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -l from -d 'Begin here, a date (its midnight) or a time in UTC [default: the beginning]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -l to -d 'End before this, a date or a time in UTC [default: no end]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -l format -d 'Print it so [default: by the name of --out, else text; json with --json]' -r -f -a "text\t'For people'
csv\t'For spreadsheets: fixed columns, no cell is a formula'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -l out -d 'Write it to this file instead, and its manifest to FILE.manifest.json' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from emergencies" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -l from -d 'Begin here, a date (its midnight) or a time in UTC [default: the beginning]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -l to -d 'End before this, a date or a time in UTC [default: no end]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -l format -d 'Print it so [default: by the name of --out, else text; json with --json]' -r -f -a "text\t'For people'
csv\t'For spreadsheets: fixed columns, no cell is a formula'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -l out -d 'Write it to this file instead, and its manifest to FILE.manifest.json' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from latency" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -l format -d 'Print it so [default: by the name of --out, else text; json with --json]' -r -f -a "text\t'For people'
csv\t'For spreadsheets: fixed columns, no cell is a formula'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -l out -d 'Write it to this file instead, and its manifest to FILE.manifest.json' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from incident" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -l from -d 'Begin here, a date (its midnight) or a time in UTC [default: the beginning]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -l to -d 'End before this, a date or a time in UTC [default: no end]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -l format -d 'Print it so [default: by the name of --out, else text; json with --json]' -r -f -a "text\t'For people'
csv\t'For spreadsheets: fixed columns, no cell is a formula'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -l out -d 'Write it to this file instead, and its manifest to FILE.manifest.json' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from access-review" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -l from -d 'Begin here, a date (its midnight) or a time in UTC [default: the beginning]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -l to -d 'End before this, a date or a time in UTC [default: no end]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -l format -d 'Print it so [default: by the name of --out, else text; json with --json]' -r -f -a "text\t'For people'
csv\t'For spreadsheets: fixed columns, no cell is a formula'
json\t'For programs'"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -l out -d 'Write it to this file instead, and its manifest to FILE.manifest.json' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from board" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -l framework -d 'Only controls of this framework; may be given several times [default: all]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -l from -d 'Begin here, a date (its midnight) or a time in UTC [default: the beginning]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -l to -d 'End before this, a date or a time in UTC [default: no end]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -l format -d 'Print it so [default: by the name of --out, else text; json with --json]' -r -f -a "text\t'For people'
csv\t'For spreadsheets'
json\t'For programs'
markdown\t'For documents'
oscal\t'OSCAL 1.2 assessment results, JSON: observations, no findings'"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -l out -d 'Write it to this file instead, and its manifest to FILE.manifest.json' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from controls" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -l from -d 'Only cases opened from here on, a date (its midnight) or a time in UTC' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -l to -d 'Only cases opened before this, a date or a time in UTC' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -l case -d 'Only this case; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -l incident -d 'Only what names this incident' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -l out -d 'The archive to write' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from bundle" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -l from -d 'Only cases opened from here on, a date (its midnight) or a time in UTC' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -l to -d 'Only cases opened before this, a date or a time in UTC' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -l case -d 'Only this case; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -l incident -d 'Only what names this incident' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -l out -d 'The page to write' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from page" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -l position -d 'The entry at this position instead, counted from 0: the way to a void commit' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -l out -d 'Where to put it: a file, or a folder for several [default: print it]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -l first -d 'The first event of the case alone'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from prove" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from consistency" -l out -d 'Where to put it [default: print it]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from consistency" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from consistency" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from consistency" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from consistency" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from consistency" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from consistency" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from consistency" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from consistency" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from consistency" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -l log-key -d 'The log\'s key: a verifier key (jit/…+…), an OpenSSH public key, or a file with one of them' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -l witness -d 'A witness\'s verifier key, or a file with it; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -l quorum -d 'How many of the witnesses must have cosigned [default: all of them]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -l old -d 'The older checkpoint of a consistency proof' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -l old-root -d 'The older root of a consistency proof, in base64 or as sha256:…' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from tiles" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from tiles" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from tiles" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from tiles" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from tiles" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from tiles" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from tiles" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from tiles" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from tiles" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -l from -d 'Begin here, a date (its midnight) or a time in UTC [default: the beginning]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -l to -d 'End before this, a date or a time in UTC [default: no end]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -l size -d 'How many cases the sample has' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -l seed -d 'What the draw depends on, best named by who examines [default: the root of the log]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand audit; and __fish_seen_subcommand_from all" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand export" -l format -d 'The form of each event' -r -f -a "jsonl\t'One JSON object a line, in jit\'s own words'
ocsf\t'Open Cybersecurity Schema Framework 1.8.0, one JSON object a line'
cef\t'ArcSight Common Event Format'
syslog\t'RFC 5424 with structured data'
cloudevents\t'CloudEvents 1.0, one JSON object a line; over HTTP as a batch'"
complete -c jit -n "__fish_jit_using_subcommand export" -l to -d 'Where to: a file, -, syslog+udp://HOST[:PORT], syslog+tcp://HOST:PORT, syslog+tls://HOST[:PORT], https://… ' -r
complete -c jit -n "__fish_jit_using_subcommand export" -l every -d 'How often to fetch the remote with --follow; one on this machine is fetched as soon as it moves' -r
complete -c jit -n "__fish_jit_using_subcommand export" -l since -d 'Begin behind this: a commit, an event\'s id, how many events to pass over, `start` or `now` [default: the cursor]' -r
complete -c jit -n "__fish_jit_using_subcommand export" -l state -d 'Where the cursor is kept [default: a file in the user\'s state directory; none for -]' -r -F
complete -c jit -n "__fish_jit_using_subcommand export" -l token-file -d 'The bearer token of an HTTP receiver. Only its owner may be able to read the file' -r -F
complete -c jit -n "__fish_jit_using_subcommand export" -l ca-file -d 'Certificates (PEM) of the authorities that are trusted [default: the system\'s]' -r -F
complete -c jit -n "__fish_jit_using_subcommand export" -l client-cert -d 'Our own certificates (PEM), for a receiver that asks for them' -r -F
complete -c jit -n "__fish_jit_using_subcommand export" -l client-key -d 'The private key (PEM) of --client-cert. Only its owner may be able to read the file' -r -F
complete -c jit -n "__fish_jit_using_subcommand export" -l timeout -d 'How long a receiver may take to connect, to read and to answer' -r
complete -c jit -n "__fish_jit_using_subcommand export" -l retry-for -d 'For how long to try again when a receiver does not take events [default: 30s; with --follow for ever]' -r
complete -c jit -n "__fish_jit_using_subcommand export" -l batch -d 'How many events to give at once, at most' -r
complete -c jit -n "__fish_jit_using_subcommand export" -l enterprise-number -d 'The private enterprise number in the id of syslog\'s structured data [default: 32473, the one for examples]' -r
complete -c jit -n "__fish_jit_using_subcommand export" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand export" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand export" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand export" -l follow -d 'Go on: give each event as it comes, until the process is told to end'
complete -c jit -n "__fish_jit_using_subcommand export" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand export" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand export" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand export" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand export" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand notify" -l every -d 'How often to fetch the remote with --follow' -r
complete -c jit -n "__fish_jit_using_subcommand notify" -l config -d 'A configuration with [notify] [default: the user\'s config.toml]' -r -F
complete -c jit -n "__fish_jit_using_subcommand notify" -l state -d 'Where it is remembered what was told [default: a file in the user\'s state directory]' -r -F
complete -c jit -n "__fish_jit_using_subcommand notify" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand notify" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand notify" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand notify" -l once -d 'Tell what there is, then end [default]'
complete -c jit -n "__fish_jit_using_subcommand notify" -l follow -d 'Go on: tell each thing as it comes, until the process is told to end'
complete -c jit -n "__fish_jit_using_subcommand notify" -l terminal -d 'Tell me, in this terminal: the bell, a line and the command to run. With or without other ways'
complete -c jit -n "__fish_jit_using_subcommand notify" -l dry-run -d 'Say who would be told what, by which way; send nothing and remember nothing'
complete -c jit -n "__fish_jit_using_subcommand notify" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand notify" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand notify" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand notify" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand notify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand notify" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand verify" -l since -d 'Report only on what came after this commit. What was not checked before is checked all the same' -r
complete -c jit -n "__fish_jit_using_subcommand verify" -l at -d 'Judge deadlines at this time [default: now]' -r
complete -c jit -n "__fish_jit_using_subcommand verify" -l report -d 'Write a report of it to this file, in plain text: always of the whole history' -r -F
complete -c jit -n "__fish_jit_using_subcommand verify" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand verify" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand verify" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand verify" -l full -d 'Check everything again, from the first commit on, and not only what came since the last command'
complete -c jit -n "__fish_jit_using_subcommand verify" -l strict -d 'Findings about deadlines and files count, too'
complete -c jit -n "__fish_jit_using_subcommand verify" -l github -d 'Print annotations for GitHub Actions too, and append to the job\'s summary (GITHUB_STEP_SUMMARY)'
complete -c jit -n "__fish_jit_using_subcommand verify" -l gitlab -d 'Print a code quality report for GitLab on stdout, and the rest on stderr'
complete -c jit -n "__fish_jit_using_subcommand verify" -l sarif -d 'Print SARIF 2.1.0 on stdout, and the rest on stderr'
complete -c jit -n "__fish_jit_using_subcommand verify" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand verify" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand verify" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand verify" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand verify" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand sync" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand sync" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand sync" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand sync" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand sync" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand sync" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand sync" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand sync" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand sync" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -f -a "install" -d 'Write the hooks of a bare repository that people push to'
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -f -a "uninstall" -d 'Take the hooks away again, and set git\'s settings back'
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -f -a "pre-receive" -d 'Judge a push before git takes it. Git runs this, as `hooks/pre-receive` of a shared repository'
complete -c jit -n "__fish_jit_using_subcommand hook; and not __fish_seen_subcommand_from install uninstall pre-receive post-receive" -f -a "post-receive" -d 'Take in what a push has left in the inbox. Git runs this, as `hooks/post-receive` of a shared repository'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -l bare -d 'The bare repository [default: the ledger]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -l allow -d 'Take pushes to this reference unchecked, such as refs/tags/v1 or refs/heads/draft/*; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -l ledger-id -d 'The id of the ledger that the repository is for, where it is still empty' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -l timeout -d 'Refuse what cannot be checked within this time' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -l chain -d 'Keep a hook that is there, and run it after jit\'s'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -l dry-run -d 'Say what would be done, and do nothing'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from install" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -l bare -d 'The bare repository [default: the ledger]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -l dry-run -d 'Say what would be done, and do nothing'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from uninstall" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -l allow -d 'Take pushes to this reference unchecked, such as refs/tags/v1 or refs/heads/draft/*; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -l ledger-id -d 'The id of the ledger that the repository is for, where it is still empty' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -l timeout -d 'Refuse what cannot be checked within this time' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from pre-receive" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from post-receive" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from post-receive" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from post-receive" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from post-receive" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from post-receive" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from post-receive" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from post-receive" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from post-receive" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand hook; and __fish_seen_subcommand_from post-receive" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand fold" -l interval -d 'How often --watch looks [default: 1s]' -r
complete -c jit -n "__fish_jit_using_subcommand fold" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand fold" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand fold" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand fold" -l watch -d 'Go on until SIGTERM or Ctrl-C. With --json: one object a round that did something'
complete -c jit -n "__fish_jit_using_subcommand fold" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand fold" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand fold" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand fold" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand fold" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand fold" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -l log-key -d 'The log\'s private key, or the .pub of one that ssh-agent holds' -r -F
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -l witness -d 'Ask a witness to cosign (C2SP tlog-witness); may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -l witness-key -d 'A witness that the policy does not name, by its verifier key; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand checkpoint" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -l witness-key -d 'The witness\'s private key, or the .pub of one that ssh-agent holds' -r -F
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -l name -d 'The witness\'s name [default: as the policy names this key]' -r
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -l state -d 'Where it is remembered what was cosigned [default: ~/.local/state/jit/witness]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -l print -d 'Print the cosignature and push nothing'
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -f -a "key" -d 'Print the witness\'s verifier key, and the lines for policy.toml'
complete -c jit -n "__fish_jit_using_subcommand witness; and not __fish_seen_subcommand_from key serve" -f -a "serve" -d 'Answer `POST /add-checkpoint` (C2SP tlog-witness): cosign what logs submit'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -l witness-key -d 'The witness\'s private key, or the .pub of one that ssh-agent holds' -r -F
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -l name -d 'The witness\'s name [default: as the policy names this key]' -r
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -l state -d 'Where it is remembered what was cosigned [default: ~/.local/state/jit/witness]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from key" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -l witness-key -d 'The witness\'s private key, or the .pub of one that ssh-agent holds' -r -F
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -l name -d 'The witness\'s name [default: as the policy names this key]' -r
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -l state -d 'Where it is remembered what was cosigned [default: ~/.local/state/jit/witness]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -l listen -d 'Where to listen' -r
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -l log -d 'A log to cosign for, by its verifier key; may be given several times [default: the ledger\'s]' -r
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand witness; and __fish_seen_subcommand_from serve" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -f -a "check" -d 'Check a policy file: every problem with its line, column and what was expected'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -f -a "show" -d 'Show the policy in force'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -f -a "explain" -d 'Say what would happen if MEMBER asked for TARGET/ROLE, and who would have to approve'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -f -a "diff" -d 'Say what differs between two policies: who gains and who loses what, the dangerous first'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -f -a "test" -d 'Try scenarios against a policy: who asks for what, who agrees, and what comes of it'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -f -a "propose" -d 'Propose a new policy and other governed files, which root members then approve'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -f -a "rotate-ca" -d 'Propose another CA for an environment; credentials by the present one go on until they end'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -f -a "acknowledge" -d 'Propose to acknowledge void commits: they were looked into, and minting may go on'
complete -c jit -n "__fish_jit_using_subcommand policy; and not __fish_seen_subcommand_from check show explain diff test propose rotate-ca acknowledge enact" -f -a "enact" -d 'Put an approved proposal in force: a policy, an acknowledgement or an unlock'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from check" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from check" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from check" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from check" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from check" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from show" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from show" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from show" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from show" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from show" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -l for -d 'For how long, such as 30m' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -l emergency -d 'As break-glass'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from explain" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from diff" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from diff" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from diff" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from diff" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from diff" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from diff" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from diff" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from diff" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -l policy -d 'The policy to try [default: the one in force]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -l proposals -d 'Try every policy that is proposed, too, each with the scenarios that its proposal brings along'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from test" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -l remove -d 'Take a governed file away; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -l bump -d 'Write the next version into the proposed policy'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -l enact -d 'Enact it at once, where the root quorum stands with you alone'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from propose" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -l new -d 'The new CA\'s public key, or its private key' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -l enact -d 'Enact it at once, where the root quorum stands with you alone'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from rotate-ca" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -l reason -d 'What was found out' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -l enact -d 'Enact it at once, where the root quorum stands with you alone'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from acknowledge" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from enact" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from enact" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from enact" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from enact" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from enact" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from enact" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from enact" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from enact" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand policy; and __fish_seen_subcommand_from enact" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -f -a "list" -d 'List the members: groups, keys, whether they are proven, and the last thing that each signed'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -f -a "prove" -d 'Prove that you hold a key which is to become yours in the ledger'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -f -a "add" -d 'Propose a new member'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -f -a "remove" -d 'Propose to take somebody out of the policy'
complete -c jit -n "__fish_jit_using_subcommand member; and not __fish_seen_subcommand_from list prove add remove rotate-key" -f -a "rotate-key" -d 'Propose a new key for somebody, in place of an old one or beside it'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from list" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from list" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from list" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from list" -l all -d 'Services and hosts, too'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from list" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from list" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from prove" -l ledger-id -d 'The ledger\'s id, where you have no clone of it; whoever invites you tells it' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from prove" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from prove" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from prove" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from prove" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from prove" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from prove" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from prove" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from prove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from prove" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -l email -d 'Their e-mail' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -l group -d 'A group; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -l proof -d 'What `jit member prove` made, with the key inside; one for each key' -r -F
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -l new -d 'The public key as you know it by another way: the proofs must be for these' -r -F
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -l enact -d 'Enact it at once, where the root quorum stands with you alone'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from add" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -l enact -d 'Enact it at once, where the root quorum stands with you alone'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from remove" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -l new -d 'The new key' -r -F
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -l proof -d 'What `jit member prove` made, with the new key inside' -r -F
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -l old -d 'The old key: its fingerprint, its file, or `all` [default: the one there is]' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -l reason -d 'Why' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -l keep-old -d 'Take no key away'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -l enact -d 'Enact it at once, where the root quorum stands with you alone'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand member; and __fish_seen_subcommand_from rotate-key" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand ledger; and not __fish_seen_subcommand_from upgrade-template" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand ledger; and not __fish_seen_subcommand_from upgrade-template" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand ledger; and not __fish_seen_subcommand_from upgrade-template" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand ledger; and not __fish_seen_subcommand_from upgrade-template" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand ledger; and not __fish_seen_subcommand_from upgrade-template" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand ledger; and not __fish_seen_subcommand_from upgrade-template" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand ledger; and not __fish_seen_subcommand_from upgrade-template" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand ledger; and not __fish_seen_subcommand_from upgrade-template" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand ledger; and not __fish_seen_subcommand_from upgrade-template" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand ledger; and not __fish_seen_subcommand_from upgrade-template" -f -a "upgrade-template" -d 'Propose this version\'s workflows, README and scenarios in place of the ledger\'s'
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -l force -d 'Take the template\'s text of this file, though it was edited or taken away here; may be given several times' -r
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -l reason -d 'Why [default: names the version of the template]' -r
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -l dry-run -d 'Sign nothing; say what would be proposed'
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -l enact -d 'Enact it at once, where the root quorum stands with you alone'
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand ledger; and __fish_seen_subcommand_from upgrade-template" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -l config -d 'The host\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -f -a "setup" -d 'Set this host up: user, directories, sshd, PAM, units'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -f -a "status" -d 'Show what stands on this host: mirror, grants, sessions, refusals'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -f -a "sync" -d 'Follow the ledger and publish what this host admits: the daemon of the user jit'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -f -a "reap" -d 'End sessions when their time comes: the root daemon'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -f -a "principals" -d 'Say which principals open LOGIN to a certificate: sshd\'s AuthorizedPrincipalsCommand'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -f -a "session" -d 'Open a session: PAM runs it as root at each login'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -f -a "record" -d 'Record one session: `jit host session` starts it'
complete -c jit -n "__fish_jit_using_subcommand host; and not __fish_seen_subcommand_from setup status sync reap principals session record gate" -f -a "gate" -d 'Run the shell or command of a session, recorded: the ForceCommand of sshd'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l host -d 'The host\'s name in the policy' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l remote -d 'Where the ledger is fetched from and pushed to' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l ledger-id -d 'The ledger\'s id, as somebody you trust told it: sha256:…' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l user -d 'The unprivileged user that follows the ledger [default: jit]' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l cgroup -d 'A directory of cgroup v2, made where its parent is there [default: jit in the cgroup v2 file system]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l sshd-config -d 'sshd\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l root -d 'Work on the files below this directory, as if it were /. No user is made and no command is run there' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l config -d 'The host\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l dry-run -d 'Show every change and make none'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l undo -d 'Take away what setup did. The host\'s key, the mirror and the recordings stay'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l purge -d 'With --undo: the host\'s key, the mirror, the recordings and the user go, too'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l no-systemd -d 'Write no units, also where systemd runs'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l add-include -d 'Add the Include line to sshd\'s configuration, if it has none'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from setup" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from status" -l config -d 'The host\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from status" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from status" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from status" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from status" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from status" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from status" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -l config -d 'The host\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -l once -d 'Follow once, publish, deliver what waits, and end'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from sync" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -l enter -d 'Become a probe\'s command in this control group' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -l uid -d 'As this user' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -l gid -d 'In this group of users' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -l config -d 'The host\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -l once -d 'Look once, end what is due, say what was done, and stop'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from reap" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from principals" -l config -d 'The host\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from principals" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from principals" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from principals" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from principals" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from principals" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from principals" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from principals" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from principals" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from principals" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from session" -l config -d 'The host\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from session" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from session" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from session" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from session" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from session" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from session" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from session" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from session" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from session" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from record" -l config -d 'The host\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from record" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from record" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from record" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from record" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from record" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from record" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from record" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from record" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from record" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -l inner -d 'Become the program that follows, in a session of its own. The gate calls itself so' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -l config -d 'The host\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand host; and __fish_seen_subcommand_from gate" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand doctor" -l config -d 'The host\'s configuration' -r -F
complete -c jit -n "__fish_jit_using_subcommand doctor" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand doctor" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand doctor" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand doctor" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand doctor" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand doctor" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand doctor" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand completions" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand completions" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand completions" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand completions" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand completions" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand completions" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand completions" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jit -n "__fish_jit_using_subcommand completions" -s V -l version -d 'Print version'
complete -c jit -n "__fish_jit_using_subcommand man" -l dir -d 'Write the pages into DIR' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand man" -l ledger -d 'The ledger: a Git repository [default: the one around this directory, else the user\'s default]' -r -f -a "(__fish_complete_directories)"
complete -c jit -n "__fish_jit_using_subcommand man" -l as -d 'Who acts: a member or service of the policy [default: whose key it is]' -r
complete -c jit -n "__fish_jit_using_subcommand man" -l key -d 'The key that signs: a private key, or a .pub whose private half ssh-agent holds [default: ~/.ssh/id_ed25519]' -r -F
complete -c jit -n "__fish_jit_using_subcommand man" -l json -d 'Print the result as JSON'
complete -c jit -n "__fish_jit_using_subcommand man" -s y -l yes -d 'Answer yes to "shall I sign this?"'
complete -c jit -n "__fish_jit_using_subcommand man" -s q -l quiet -d 'Print the result and errors only'
complete -c jit -n "__fish_jit_using_subcommand man" -s v -l verbose -d 'Say more about what is done'
complete -c jit -n "__fish_jit_using_subcommand man" -s h -l help -d 'Print help'
complete -c jit -n "__fish_jit_using_subcommand man" -s V -l version -d 'Print version'
