"""A Postgres database as the destination; psycopg, which is an extra, is imported by the modules that speak to it."""
