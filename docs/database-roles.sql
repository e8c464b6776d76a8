-- The roles that PowerBeacon needs in a database of your own. The embedded Postgres has them already.
--
-- Run it once, as an administrator of the server, with the login that DATABASE_URL names:
--   psql -v login=powerbeacon -f docs/database-roles.sql
--
-- powerbeacon_request takes part in every transaction for somebody; row-level security shows it the rows of one site.
-- powerbeacon_hub is the hub itself, which reads every site when it starts.
-- Neither can log in, and neither needs BYPASSRLS.

do $$ begin
  if not exists (select from pg_roles where rolname = 'powerbeacon_hub') then create role powerbeacon_hub nologin; end if;
  if not exists (select from pg_roles where rolname = 'powerbeacon_request') then create role powerbeacon_request nologin; end if;
end $$;

grant powerbeacon_hub, powerbeacon_request to :"login";
