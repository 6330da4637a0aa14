"""The database: tables, migrations, one function per question. Nothing here knows what a score means."""
