"""ClippyFront: teams turn video clips into compilations, and everyone concerned hears of it at once.

The map, layer by layer; imports point downwards only (tests/test_layers.py keeps it):

    __main__                      the command line: `python -m app`
    asgi  worker  demo            every route in one list; what SAQ runs; the demo cast
    accounts  teams  projects     the business that causes events: verbs, pages, api
    notifications                 catalogue → notify → outbox; hub → live; feed → pages, api
    security  web  api            signed values; how pages and how programs are answered
    models                        the schema, the file a newcomer reads first
    database  broker  mail  rendering
    settings  clock  zones  errors  language  collector
"""
