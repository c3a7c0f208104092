"""ClippyFront: teams turn video clips into compilations, and everyone concerned hears of it at once.

The map. A room may import what stands on a line below it, and nothing else; tests/test_layers.py
reads this very table.

    __main__                              `python -m app`
    cli                                   commands, installer, doctor, demo cast
    asgi worker                           the web application; what SAQ runs
    web.server                            uvicorn, with limits for each client
    routes                                the table of contents: every address and its handler
    web.middleware web.error_handlers     authentication, CSRF, headers; errors as page or problem
    installation                          settings, database, broker, channels: built once
    backup                                backups, restoring them, moving to another database
    operations                            admin pages, health, metrics, announcements
    api_docs                              the OpenAPI document, and the page made from it
    dashboard account_lifecycle           use cases that cross the areas below
    reading_pane                          one notification in full, beside the list or on a page
    projects                              clips, sharing, compilations: verbs, pages, api
    teams                                 teams, members, invitations: verbs, pages, api
    accounts                              users, sessions, tokens, passwords: verbs, pages, api
    notifications.pages notifications.api  thin HTML and JSON handlers over the rooms below
    web.page_refusals                     a page of another user, or of an earlier session
    layout web.visits                     a page with its bell, or a fragment; opening is reading
    notifications.notify notifications.withdraw  the front doors: notify; take back
    notifications.throttles               how often one user may notify others
    notifications.refresh                 show a notice again whose actions have changed
    notifications.supersede               a newer event in the place of an older one
    notifications.channels                the list of channels
    notifications.channels.email notifications.channels.push
    notifications.delivery                decide, claim, send, settle (or retry), log, clean up
    notifications.channels.base           the interface of a channel, its retry pauses included
    notifications.live                    from a poke to open pages: follower, publishers, hub
    notifications.inbox                   feed, filters, selection, bell
    notifications.preferences             switches, muting, digest times
    notifications.search                  words, queries, the index of what notices say
    notifications.events                  event types and their sentences, audiences, positions
    api                                   bodies, problems and router of the JSON API
    mail throttle                         composing mail; rate limits
    web.forwarding                        the client behind a proxy; hosts that are not ours
    rendering                             templates
    web.static_files                      scripts, styles, icons under one digest
    http web.csrf                         forms, guards, redirects; the token of a page
    visibility                            which teams and projects a user sees
    models                                the schema: start reading here
    topics                                what open pages show, and that it has changed
    database outgoing                     read(), act(), write(); HTTP to other servers
    broker security telemetry             queue, and relay of pokes; signatures; logs, metrics
    web.security_headers                  what protects every response
    telemetry.security_log                logins, failed logins, changes of rights
    web.reachability                      whether others can reach this server
    settings zones process.private_files process.postgresql_connections
    faults                                busy, full or lost databases and disks
    errors web.user_agents values.email_addresses values.faces values.sizes values.usernames
    values.names                          what one may contain, how it stands in a sentence
    web.parsing                           forms and cookies, within limits
    web.hosts                             host names and ports, in the one form that is compared
    clock language values.numbers web.compression web.networks
    process.background process.cancellation process.gc_tuning process.parent_process
"""
