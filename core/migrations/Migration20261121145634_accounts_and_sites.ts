import { Migration } from "@mikro-orm/migrations";

export class Migration20261121145634_accounts_and_sites extends Migration {
  override name = "Migration20261121145634_accounts_and_sites";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "audit_chain" ("id" serial primary key, "site_id" uuid null, "last_seq" bigint not null, "last_hash" varchar(64) not null, "pruned_seq" bigint not null default '0', "pruned_hash" varchar(64) not null, "pruned_before" timestamptz null);`,
    );
    this.addSql(`create unique index "audit_chain_site_unique" on "audit_chain" ("site_id") nulls not distinct;`);

    this.addSql(
      `create table "audit" ("id" bigserial primary key, "site_id" uuid null, "seq" bigint not null, "at" timestamptz(3) not null, "actor_type" varchar(16) not null, "actor_id" varchar(80) null, "actor_name" varchar(200) null, "action" varchar(32) not null, "target_type" varchar(16) null, "target_id" varchar(80) null, "target_name" varchar(200) null, "address" varchar(64) null, "result" varchar(8) not null, "reason" varchar(64) null, "details" text null, "request_id" varchar(64) null, "hash" varchar(64) not null);`,
    );
    this.addSql(`create index "audit_site_id_id_index" on "audit" ("site_id", "id");`);
    this.addSql(`create unique index "audit_seq_unique" on "audit" ("site_id", "seq") nulls not distinct;`);

    this.addSql(
      `create table "provider" ("id" uuid not null, "enabled" boolean not null, "name" varchar(80) not null, "issuer" varchar(500) not null, "client_id" varchar(200) not null, "client_secret" text null, "scopes" text[] not null, "auto_provision" boolean not null, "allowed_domains" text[] not null, "role_claim" varchar(200) null, "role_mapping" jsonb not null, "default_role" varchar(16) not null, "provisioned_site_id" uuid null, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`,
    );

    this.addSql(
      `create table "token" ("id" uuid not null, "site_id" uuid not null, "user_id" uuid not null, "name" varchar(80) not null, "prefix" varchar(16) not null, "token_hash" varchar(64) not null, "permissions" text[] not null, "created_at" timestamptz not null, "expires_at" timestamptz null, "last_used_at" timestamptz null, "last_address" varchar(64) null, primary key ("id"));`,
    );
    this.addSql(`create index "token_user_id_index" on "token" ("user_id");`);
    this.addSql(`alter table "token" add constraint "token_prefix_unique" unique ("prefix");`);
    this.addSql(`create index "token_site_id_user_id_index" on "token" ("site_id", "user_id");`);

    this.addSql(
      `create table "membership" ("site_id" uuid not null, "user_id" uuid not null, "role" varchar(16) not null, primary key ("site_id", "user_id"));`,
    );
    this.addSql(`create index "membership_user_id_index" on "membership" ("user_id");`);

    this.addSql(
      `create table "identity" ("id" uuid not null, "user_id" uuid not null, "provider_id" uuid not null, "issuer" varchar(500) not null, "subject" varchar(255) not null, "email" varchar(254) null, "created_at" timestamptz not null, "last_login_at" timestamptz null, primary key ("id"));`,
    );
    this.addSql(`create index "identity_user_id_index" on "identity" ("user_id");`);
    this.addSql(`create index "identity_provider_id_index" on "identity" ("provider_id");`);
    this.addSql(`alter table "identity" add constraint "identity_subject_unique" unique ("issuer", "subject");`);

    this.addSql(
      `create table "device_share" ("device_id" uuid not null, "user_id" uuid not null, "site_id" uuid not null, "level" varchar(8) not null, primary key ("device_id", "user_id"));`,
    );
    this.addSql(`create index "device_share_user_id_index" on "device_share" ("user_id");`);
    this.addSql(`create index "device_share_site_id_index" on "device_share" ("site_id");`);

    this.addSql(
      `create table "cluster_share" ("cluster_id" uuid not null, "user_id" uuid not null, "site_id" uuid not null, "level" varchar(8) not null, primary key ("cluster_id", "user_id"));`,
    );
    this.addSql(`create index "cluster_share_user_id_index" on "cluster_share" ("user_id");`);
    this.addSql(`create index "cluster_share_site_id_index" on "cluster_share" ("site_id");`);

    this.addSql(`create index "agent_heartbeat_site_id_index" on "agent_heartbeat" ("site_id");`);
    this.addSql(`alter table "agent_heartbeat" enable row level security;`);
    this.addSql(`alter table "agent_heartbeat" force row level security;`);
    this.addSql(
      `create policy "agent_heartbeat_of_site" on "agent_heartbeat" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "agent_heartbeat_of_hub" on "agent_heartbeat" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(`create index "discovery_config_site_id_index" on "discovery_config" ("site_id");`);
    this.addSql(`alter table "discovery_config" enable row level security;`);
    this.addSql(`alter table "discovery_config" force row level security;`);
    this.addSql(
      `create policy "discovery_config_of_site" on "discovery_config" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "discovery_config_of_hub" on "discovery_config" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(`alter table "site" enable row level security;`);
    this.addSql(`alter table "site" force row level security;`);
    this.addSql(
      `create policy "site_of_site" on "site" to "powerbeacon_request" using (id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "site_of_hub" on "site" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(
      `alter table "mqtt_client" add "last_seen_at" timestamptz null, add "last_address" varchar(64) null, add "last_client_id" varchar(200) null, add "last_protocol_version" smallint null;`,
    );
    this.addSql(`alter table "mqtt_client" enable row level security;`);
    this.addSql(`alter table "mqtt_client" force row level security;`);
    this.addSql(
      `create policy "mqtt_client_of_site" on "mqtt_client" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "mqtt_client_of_hub" on "mqtt_client" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "user" add "superuser" boolean not null default false, add "must_change_password" boolean not null default false;`,
    );
    this.addSql(`update "user" set "superuser" = ("role" = 'superuser');`);
    this.addSql(`alter table "user" drop column "role";`);
    this.addSql(`alter table "user" alter column "password_hash" drop not null;`);
    this.addSql(`create unique index "user_email_unique" on "user" (lower("email"));`);

    this.addSql(`alter table "session" add "last_used_at" timestamptz null, add "provider_id" uuid null;`);
    this.addSql(`update "session" set "last_used_at" = "created_at";`);
    this.addSql(`alter table "session" alter column "last_used_at" set not null;`);

    this.addSql(`alter table "cluster" add "owner_id" uuid null;`);
    this.addSql(
      `alter table "cluster" add constraint "cluster_owner_id_foreign" foreign key ("owner_id") references "user" ("id") on delete set null;`,
    );
    this.addSql(`create index "cluster_owner_id_index" on "cluster" ("owner_id");`);
    this.addSql(`alter table "cluster" enable row level security;`);
    this.addSql(`alter table "cluster" force row level security;`);
    this.addSql(
      `create policy "cluster_of_site" on "cluster" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "cluster_of_hub" on "cluster" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(`alter table "enrolment" enable row level security;`);
    this.addSql(`alter table "enrolment" force row level security;`);
    this.addSql(
      `create policy "enrolment_of_site" on "enrolment" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "enrolment_of_hub" on "enrolment" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(`alter table "device" add "owner_id" uuid null;`);
    this.addSql(
      `alter table "device" add constraint "device_owner_id_foreign" foreign key ("owner_id") references "user" ("id") on delete set null;`,
    );
    this.addSql(`create index "device_owner_id_index" on "device" ("owner_id");`);
    this.addSql(`alter table "device" enable row level security;`);
    this.addSql(`alter table "device" force row level security;`);
    this.addSql(
      `create policy "device_of_site" on "device" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "device_of_hub" on "device" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(`alter table "agent" enable row level security;`);
    this.addSql(`alter table "agent" force row level security;`);
    this.addSql(
      `create policy "agent_of_site" on "agent" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "agent_of_hub" on "agent" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(`alter table "device_agent" enable row level security;`);
    this.addSql(`alter table "device_agent" force row level security;`);
    this.addSql(
      `create policy "device_agent_of_site" on "device_agent" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "device_agent_of_hub" on "device_agent" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(`alter table "wake" enable row level security;`);
    this.addSql(`alter table "wake" force row level security;`);
    this.addSql(
      `create policy "wake_of_site" on "wake" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "wake_of_hub" on "wake" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(`alter table "audit_chain" enable row level security;`);
    this.addSql(`alter table "audit_chain" force row level security;`);
    this.addSql(
      `create policy "audit_chain_of_site" on "audit_chain" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "audit_chain_of_hub" on "audit_chain" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `create or replace function "audit_audit_is_append_only_fn"() returns trigger as \$\$ begin if tg_op = 'DELETE' and current_setting('powerbeacon.audit_prune', true) = 'on' then return old; end if;       raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege'; return null; end; \$\$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "audit_is_append_only" BEFORE UPDATE OR DELETE on "audit" for each ROW execute function "audit_audit_is_append_only_fn"();`,
    );
    this.addSql(
      `create or replace function "audit_audit_is_not_emptied_fn"() returns trigger as \$\$ begin raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege'; return null; end; \$\$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "audit_is_not_emptied" BEFORE TRUNCATE on "audit" for each STATEMENT execute function "audit_audit_is_not_emptied_fn"();`,
    );
    this.addSql(`alter table "audit" enable row level security;`);
    this.addSql(`alter table "audit" force row level security;`);
    this.addSql(
      `create policy "audit_of_site" on "audit" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "audit_of_hub" on "audit" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(
      `alter table "provider" add constraint "provider_provisioned_site_id_foreign" foreign key ("provisioned_site_id") references "site" ("id") on delete set null;`,
    );

    this.addSql(
      `alter table "token" add constraint "token_site_id_foreign" foreign key ("site_id") references "site" ("id") on delete cascade;`,
    );
    this.addSql(
      `alter table "token" add constraint "token_user_id_foreign" foreign key ("user_id") references "user" ("id") on delete cascade;`,
    );
    this.addSql(`alter table "token" enable row level security;`);
    this.addSql(`alter table "token" force row level security;`);
    this.addSql(
      `create policy "token_of_site" on "token" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "token_of_hub" on "token" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(
      `alter table "membership" add constraint "membership_site_id_foreign" foreign key ("site_id") references "site" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "membership" add constraint "membership_user_id_foreign" foreign key ("user_id") references "user" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(`alter table "membership" enable row level security;`);
    this.addSql(`alter table "membership" force row level security;`);
    this.addSql(
      `create policy "membership_of_site" on "membership" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "membership_of_hub" on "membership" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "identity" add constraint "identity_user_id_foreign" foreign key ("user_id") references "user" ("id") on delete cascade;`,
    );
    this.addSql(
      `alter table "identity" add constraint "identity_provider_id_foreign" foreign key ("provider_id") references "provider" ("id") on delete cascade;`,
    );

    this.addSql(
      `alter table "device_share" add constraint "device_share_device_id_foreign" foreign key ("device_id") references "device" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "device_share" add constraint "device_share_user_id_foreign" foreign key ("user_id") references "user" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "device_share" add constraint "device_share_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(`alter table "device_share" enable row level security;`);
    this.addSql(`alter table "device_share" force row level security;`);
    this.addSql(
      `create policy "device_share_of_site" on "device_share" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "device_share_of_hub" on "device_share" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "cluster_share" add constraint "cluster_share_cluster_id_foreign" foreign key ("cluster_id") references "cluster" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "cluster_share" add constraint "cluster_share_user_id_foreign" foreign key ("user_id") references "user" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "cluster_share" add constraint "cluster_share_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(`alter table "cluster_share" enable row level security;`);
    this.addSql(`alter table "cluster_share" force row level security;`);
    this.addSql(
      `create policy "cluster_share_of_site" on "cluster_share" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "cluster_share_of_hub" on "cluster_share" to "powerbeacon_hub" using (true) with check (true);`,
    );

    // what somebody's transaction may touch at all; the policies say which rows
    this.addSql(
      `grant select, insert, update, delete on "cluster", "device", "agent", "agent_heartbeat", "device_agent", "device_share", "cluster_share", "enrolment", "mqtt_client", "token", "wake" to powerbeacon_request;`,
    );
    this.addSql(`grant select on "site", "membership", "audit" to powerbeacon_request;`);
    this.addSql(`revoke update, delete, truncate on "audit" from public, powerbeacon_request, powerbeacon_hub;`);
    this.addSql(AUDIT_APPEND);
    this.addSql(`revoke execute on function audit_append(jsonb) from public;`);
    this.addSql(`grant execute on function audit_append(jsonb) to powerbeacon_request, powerbeacon_hub;`);
    this.addSql(AUDIT_PRUNE);
    this.addSql(`revoke execute on function audit_prune(integer, timestamptz) from public;`);
    this.addSql(`grant execute on function audit_prune(integer, timestamptz) to powerbeacon_hub;`);
  }
}

// the only way in: it numbers each row, chains it to the one before, and holds the chain until the transaction ends
const AUDIT_APPEND = `
create function audit_append(entries jsonb) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  entry record;
  chain audit_chain;
  own_site uuid := nullif(current_setting('powerbeacon.site', true), '')::uuid;
begin
  for entry in select * from jsonb_to_recordset(entries) as e (site_id uuid, body text, at timestamptz, actor_type text, actor_id text,
    actor_name text, action text, target_type text, target_id text, target_name text, address text, result text, reason text,
    details text, request_id text)
  loop
    if (own_site is null and current_setting('role', true) = 'powerbeacon_request')
      or (own_site is not null and entry.site_id is distinct from own_site) then
      raise exception 'a row of another site' using errcode = 'insufficient_privilege';
    end if;
    if chain.id is null or chain.site_id is distinct from entry.site_id then
      update audit_chain c set last_seq = chain.last_seq, last_hash = chain.last_hash where c.id = chain.id;
      select * into chain from audit_chain c where c.site_id is not distinct from entry.site_id for update;
      if not found then
        insert into audit_chain (site_id, last_seq, last_hash, pruned_hash) values (entry.site_id, 0, repeat('0', 64), repeat('0', 64))
          on conflict (site_id) do nothing;
        select * into strict chain from audit_chain c where c.site_id is not distinct from entry.site_id for update;
      end if;
    end if;
    chain.last_seq := chain.last_seq + 1;
    chain.last_hash := encode(sha256(decode(chain.last_hash, 'hex') || int8send(chain.last_seq) || convert_to(entry.body, 'UTF8')), 'hex');
    insert into audit (site_id, seq, at, actor_type, actor_id, actor_name, action, target_type, target_id, target_name, address, result,
      reason, details, request_id, hash)
    values (entry.site_id, chain.last_seq, entry.at, entry.actor_type, entry.actor_id, entry.actor_name, entry.action, entry.target_type,
      entry.target_id, entry.target_name, entry.address, entry.result, entry.reason, entry.details, entry.request_id, chain.last_hash);
  end loop;
  update audit_chain c set last_seq = chain.last_seq, last_hash = chain.last_hash where c.id = chain.id;
end $$;`;

// the only way out: from the beginning of one chain, in whole days (UTC), and never what is younger than 30 of them
const AUDIT_PRUNE = `
create function audit_prune(chain_id integer, before timestamptz, out removed bigint, out up_to bigint, out up_to_hash text)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  chain record;
  day timestamptz := date_trunc('day', before, 'UTC');
begin
  if before > now() - interval '30 days' then
    raise exception 'the audit log keeps at least 30 days' using errcode = 'insufficient_privilege';
  end if;
  select * into strict chain from audit_chain c where c.id = chain_id for update;
  select a.seq - 1 into up_to from audit a
    where (a.site_id = chain.site_id or (a.site_id is null and chain.site_id is null)) and a.at >= day order by a.seq limit 1;
  up_to := coalesce(up_to, chain.last_seq);
  select a.hash into up_to_hash from audit a
    where (a.site_id = chain.site_id or (a.site_id is null and chain.site_id is null)) and a.seq = up_to;
  removed := 0;
  if up_to_hash is null then return; end if;
  perform set_config('powerbeacon.audit_prune', 'on', true);
  delete from audit a where (a.site_id = chain.site_id or (a.site_id is null and chain.site_id is null)) and a.seq <= up_to;
  get diagnostics removed = row_count;
  perform set_config('powerbeacon.audit_prune', 'off', true);
  update audit_chain c set pruned_seq = up_to, pruned_hash = up_to_hash, pruned_before = day where c.id = chain.id;
end $$;`;
