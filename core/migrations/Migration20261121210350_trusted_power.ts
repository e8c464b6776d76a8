import { Migration } from "@mikro-orm/migrations";

export class Migration20261121210350_trusted_power extends Migration {
  override name = "Migration20261121210350_trusted_power";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "schedule" ("id" uuid not null, "site_id" uuid not null, "key" varchar(63) not null, "name" varchar(80) not null, "description" text null, "enabled" boolean not null, "action" varchar(16) not null, "device_ids" uuid[] not null, "cluster_ids" uuid[] not null, "fires" jsonb not null, "jitter_seconds" int not null, "catch_up_minutes" int not null, "force" boolean not null, "skip_next" boolean not null, "show_in_home_assistant" boolean not null default true, "settled_until" timestamptz not null, "owner_id" uuid null, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`,
    );
    this.addSql(`alter table "schedule" add constraint "schedule_key_unique" unique ("key");`);
    this.addSql(`create index "schedule_owner_id_index" on "schedule" ("owner_id");`);
    this.addSql(`create index "schedule_site_id_name_index" on "schedule" ("site_id", "name");`);

    this.addSql(
      `create table "schedule_run" ("id" uuid not null, "site_id" uuid not null, "schedule_id" uuid not null, "due_at" timestamptz not null, "at" timestamptz not null, "outcome" varchar(16) not null, "because" text not null, "code" varchar(40) null, "devices" jsonb not null, primary key ("id"));`,
    );
    this.addSql(`create index "schedule_run_site_id_index" on "schedule_run" ("site_id");`);
    this.addSql(`alter table "schedule_run" add constraint "schedule_run_once" unique ("schedule_id", "due_at");`);

    this.addSql(
      `create table "power_off" ("id" uuid not null, "site_id" uuid not null, "device_id" uuid not null, "action" varchar(16) not null, "way" varchar(16) not null, "force" boolean not null, "requested_at" timestamptz not null, "requested_by" varchar(80) not null, "stage" varchar(16) not null, "finished_at" timestamptz null, "seconds" double precision null, "stages" jsonb not null, primary key ("id"));`,
    );
    this.addSql(`create index "power_off_site_id_requested_at_index" on "power_off" ("site_id", "requested_at");`);
    this.addSql(`create index "power_off_device_id_requested_at_index" on "power_off" ("device_id", "requested_at");`);
    this.addSql(`create index "power_off_open_index" on "power_off" ("id") where "finished_at" is null;`);

    this.addSql(
      `create table "power_method" ("device_id" uuid not null, "site_id" uuid not null, "method" jsonb not null, "sealed" text null, "updated_at" timestamptz not null, primary key ("device_id"));`,
    );
    this.addSql(`create index "power_method_site_id_index" on "power_method" ("site_id");`);

    this.addSql(
      `create table "power_history" ("id" uuid not null, "site_id" uuid not null, "device_id" uuid not null, "at" timestamptz not null, "power" varchar(16) not null, "because" varchar(40) not null, "evidence" jsonb null, primary key ("id"));`,
    );
    this.addSql(`create index "power_history_site_id_index" on "power_history" ("site_id");`);
    this.addSql(`create index "power_history_device_id_at_index" on "power_history" ("device_id", "at");`);
    this.addSql(`create index "power_history_at_index" on "power_history" ("at");`);

    this.addSql(
      `create table "power_day" ("device_id" uuid not null, "day" date not null, "site_id" uuid not null, "on_seconds" int not null, "off_seconds" int not null, "unknown_seconds" int not null, "wakes" int not null, primary key ("device_id", "day"));`,
    );
    this.addSql(`create index "power_day_site_id_index" on "power_day" ("site_id");`);

    this.addSql(
      `create table "lease" ("id" uuid not null, "site_id" uuid not null, "device_id" uuid not null, "held_by" varchar(80) not null, "holder" varchar(16) not null, "reason" varchar(200) null, "since" timestamptz not null, "until" timestamptz null, "ended_at" timestamptz null, "ended_because" varchar(16) null, primary key ("id"));`,
    );
    this.addSql(`create index "lease_site_id_index" on "lease" ("site_id");`);
    this.addSql(`create index "lease_device_id_since_index" on "lease" ("device_id", "since");`);
    this.addSql(`create index "lease_open_index" on "lease" ("id") where "ended_at" is null;`);

    this.addSql(
      `create table "device_need" ("device_id" uuid not null, "needs_id" uuid not null, "site_id" uuid not null, "ready" jsonb not null, primary key ("device_id", "needs_id"));`,
    );
    this.addSql(`create index "device_need_needs_id_index" on "device_need" ("needs_id");`);
    this.addSql(`create index "device_need_site_id_index" on "device_need" ("site_id");`);

    this.addSql(
      `create table "device_energy" ("device_id" uuid not null, "site_id" uuid not null, "watt_hours" double precision not null, "updated_at" timestamptz not null, primary key ("device_id"));`,
    );
    this.addSql(`create index "device_energy_site_id_index" on "device_energy" ("site_id");`);

    this.addSql(
      `create table "cluster_need" ("cluster_id" uuid not null, "needs_id" uuid not null, "site_id" uuid not null, "ready" jsonb not null, primary key ("cluster_id", "needs_id"));`,
    );
    this.addSql(`create index "cluster_need_needs_id_index" on "cluster_need" ("needs_id");`);
    this.addSql(`create index "cluster_need_site_id_index" on "cluster_need" ("site_id");`);

    this.addSql(
      `create table "wake_recipe" ("device_id" uuid not null, "site_id" uuid not null, "ways" jsonb not null, "durations" jsonb not null, "updated_at" timestamptz not null, primary key ("device_id"));`,
    );
    this.addSql(`create index "wake_recipe_site_id_index" on "wake_recipe" ("site_id");`);

    this.addSql(`alter table "cluster" add "stagger_ms" int not null default 0, add "at_once" int null;`);

    this.addSql(`alter table "agent" add "machine" jsonb null;`);

    this.addSql(
      `alter table "device" add "own_agent_id" uuid null, add "off_action" varchar(16) not null default 'shutdown', add "off_countdown_seconds" int not null default 30, add "off_grace_seconds" int null, add "off_after_lease" boolean not null default false;`,
    );
    this.addSql(
      `alter table "device" add constraint "device_own_agent_id_foreign" foreign key ("own_agent_id") references "agent" ("id") on delete set null;`,
    );
    this.addSql(`alter table "device" add constraint "device_own_agent_unique" unique ("own_agent_id");`);

    this.addSql(
      `alter table "schedule" add constraint "schedule_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(
      `alter table "schedule" add constraint "schedule_owner_id_foreign" foreign key ("owner_id") references "user" ("id") on delete set null;`,
    );
    this.addSql(`alter table "schedule" enable row level security;`);
    this.addSql(`alter table "schedule" force row level security;`);
    this.addSql(
      `create policy "schedule_of_site" on "schedule" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "schedule_of_hub" on "schedule" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(
      `alter table "schedule_run" add constraint "schedule_run_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(
      `alter table "schedule_run" add constraint "schedule_run_schedule_id_foreign" foreign key ("schedule_id") references "schedule" ("id") on delete cascade;`,
    );
    this.addSql(`alter table "schedule_run" enable row level security;`);
    this.addSql(`alter table "schedule_run" force row level security;`);
    this.addSql(
      `create policy "schedule_run_of_site" on "schedule_run" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "schedule_run_of_hub" on "schedule_run" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "power_off" add constraint "power_off_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(
      `alter table "power_off" add constraint "power_off_device_id_foreign" foreign key ("device_id") references "device" ("id") on delete cascade;`,
    );
    this.addSql(`alter table "power_off" enable row level security;`);
    this.addSql(`alter table "power_off" force row level security;`);
    this.addSql(
      `create policy "power_off_of_site" on "power_off" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "power_off_of_hub" on "power_off" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(
      `alter table "power_method" add constraint "power_method_device_id_foreign" foreign key ("device_id") references "device" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "power_method" add constraint "power_method_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(`create or replace function "power_method_power_method_same_site_fn"() returns trigger as \$\$ begin if not (exists (select from "device" o where o.id = new.device_id and o.site_id = new.site_id)) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "power_method_same_site" AFTER INSERT OR UPDATE on "power_method" for each ROW execute function "power_method_power_method_same_site_fn"();`,
    );
    this.addSql(`alter table "power_method" enable row level security;`);
    this.addSql(`alter table "power_method" force row level security;`);
    this.addSql(
      `create policy "power_method_of_site" on "power_method" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "power_method_of_hub" on "power_method" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "power_history" add constraint "power_history_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(
      `alter table "power_history" add constraint "power_history_device_id_foreign" foreign key ("device_id") references "device" ("id") on delete cascade;`,
    );
    this.addSql(`alter table "power_history" enable row level security;`);
    this.addSql(`alter table "power_history" force row level security;`);
    this.addSql(
      `create policy "power_history_of_site" on "power_history" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "power_history_of_hub" on "power_history" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "power_day" add constraint "power_day_device_id_foreign" foreign key ("device_id") references "device" ("id") on delete cascade;`,
    );
    this.addSql(
      `alter table "power_day" add constraint "power_day_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(`alter table "power_day" enable row level security;`);
    this.addSql(`alter table "power_day" force row level security;`);
    this.addSql(
      `create policy "power_day_of_site" on "power_day" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "power_day_of_hub" on "power_day" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(
      `alter table "lease" add constraint "lease_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(
      `alter table "lease" add constraint "lease_device_id_foreign" foreign key ("device_id") references "device" ("id") on delete cascade;`,
    );
    this.addSql(`create or replace function "lease_lease_same_site_fn"() returns trigger as \$\$ begin if not (exists (select from "device" o where o.id = new.device_id and o.site_id = new.site_id)) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "lease_same_site" AFTER INSERT OR UPDATE on "lease" for each ROW execute function "lease_lease_same_site_fn"();`,
    );
    this.addSql(`alter table "lease" enable row level security;`);
    this.addSql(`alter table "lease" force row level security;`);
    this.addSql(
      `create policy "lease_of_site" on "lease" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(`create policy "lease_of_hub" on "lease" to "powerbeacon_hub" using (true) with check (true);`);

    this.addSql(
      `alter table "device_need" add constraint "device_need_device_id_foreign" foreign key ("device_id") references "device" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "device_need" add constraint "device_need_needs_id_foreign" foreign key ("needs_id") references "device" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "device_need" add constraint "device_need_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(`create or replace function "device_need_device_need_same_site_fn"() returns trigger as \$\$ begin if not (exists (select from "device" o where o.id = new.device_id and o.site_id = new.site_id) and exists (select from "device" o where o.id = new.needs_id and o.site_id = new.site_id)) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "device_need_same_site" AFTER INSERT OR UPDATE on "device_need" for each ROW execute function "device_need_device_need_same_site_fn"();`,
    );
    this.addSql(`alter table "device_need" enable row level security;`);
    this.addSql(`alter table "device_need" force row level security;`);
    this.addSql(
      `create policy "device_need_of_site" on "device_need" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "device_need_of_hub" on "device_need" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "device_energy" add constraint "device_energy_device_id_foreign" foreign key ("device_id") references "device" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "device_energy" add constraint "device_energy_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(`alter table "device_energy" enable row level security;`);
    this.addSql(`alter table "device_energy" force row level security;`);
    this.addSql(
      `create policy "device_energy_of_site" on "device_energy" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "device_energy_of_hub" on "device_energy" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "cluster_need" add constraint "cluster_need_cluster_id_foreign" foreign key ("cluster_id") references "cluster" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "cluster_need" add constraint "cluster_need_needs_id_foreign" foreign key ("needs_id") references "device" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "cluster_need" add constraint "cluster_need_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(`create or replace function "cluster_need_cluster_need_same_site_fn"() returns trigger as \$\$ begin if not (exists (select from "cluster" o where o.id = new.cluster_id and o.site_id = new.site_id) and exists (select from "device" o where o.id = new.needs_id and o.site_id = new.site_id)) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "cluster_need_same_site" AFTER INSERT OR UPDATE on "cluster_need" for each ROW execute function "cluster_need_cluster_need_same_site_fn"();`,
    );
    this.addSql(`alter table "cluster_need" enable row level security;`);
    this.addSql(`alter table "cluster_need" force row level security;`);
    this.addSql(
      `create policy "cluster_need_of_site" on "cluster_need" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "cluster_need_of_hub" on "cluster_need" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "wake_recipe" add constraint "wake_recipe_device_id_foreign" foreign key ("device_id") references "device" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "wake_recipe" add constraint "wake_recipe_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(`alter table "wake_recipe" enable row level security;`);
    this.addSql(`alter table "wake_recipe" force row level security;`);
    this.addSql(
      `create policy "wake_recipe_of_site" on "wake_recipe" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "wake_recipe_of_hub" on "wake_recipe" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `grant select, insert, update, delete on "device_need", "cluster_need", "power_method", "device_energy", "power_off", "power_history", "power_day", "wake_recipe", "schedule", "schedule_run", "lease" to powerbeacon_request;`,
    );
  }
}
