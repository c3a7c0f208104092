"""ClippyFront: teams turn video clips into compilations, and everyone concerned hears of it at once.

The map. A room may import what stands on a line below it, and nothing else; tests/test_layers.py
reads this very table.

    __main__                              `python -m app`
    cli                                   commands, installer, doctor, demo cast
    asgi worker                           the web application; what SAQ runs
    server                                uvicorn with limits on clients
    routes                                the table of contents: every address and its handler
    middleware error_handlers             who asks, CSRF, headers; failures as page or problem
    installation                          settings, database, broker, channels: built once
    operations                            admin pages, health, metrics, announcements
    api_docs                              the OpenAPI document, and the page made from it
    dashboard account_lifecycle           use cases that cross the areas below
    projects                              clips and compilations: verbs, pages, api
    teams                                 teams, members, invitations: verbs, pages, api
    accounts                              users, sessions, tokens, passwords: verbs, pages, api
    notifications.pages notifications.api  thin HTML and JSON handlers over the rooms below
    layout                                a page with its bell, or a fragment
    notifications.notify notifications.withdraw  the front doors: notify everyone concerned; take it back
    notifications.channels                which channels there are
    notifications.channels.email notifications.channels.push
    notifications.delivery                decide, claim, send, retry, log, clean up
    notifications.channels.base           what a channel is
    notifications.live                    hub, streams, publishers: from a commit to open pages
    notifications.inbox                   feed, filters, selection, bell
    notifications.preferences             switches, muting, digest times
    notifications.events                  the catalogue of event types, audiences, positions
    api                                   bodies, problems and router of the JSON API
    mail throttle                         composing mail; rate limits
    forwarding                            the client behind a proxy
    rendering                             templates
    static_files                          scripts, styles, icons under one digest
    http                                  forms, guards, redirects
    models                                the schema: start reading here
    database outgoing                     read(), act(), write(); HTTP to other servers
    broker security telemetry             queue and relay; signatures; logs, metrics
    security_log                          who signed in, failed to, changed rights
    reachability                          whether others can reach this server
    settings zones private_files
    email_addresses errors networks user_agents usernames    small, one purpose each
    parsing                               forms and cookies, within limits
    cancellation clock gc_tuning language numbers
"""
