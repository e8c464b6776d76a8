import { Migration } from "@mikro-orm/migrations";

export class Migration20261120193311_initial extends Migration {
  override name = "Migration20261120193311_initial";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "agent_heartbeat" ("agent_id" uuid not null, "site_id" uuid not null, "at" timestamptz not null, "heartbeat" jsonb not null, primary key ("agent_id")) with (fillfactor = 50);`,
    );

    this.addSql(
      `create table "site" ("id" uuid not null, "key" varchar(63) not null, "name" varchar(80) not null, "created_at" timestamptz not null, primary key ("id"));`,
    );
    this.addSql(`alter table "site" add constraint "site_key_unique" unique ("key");`);

    this.addSql(
      `create table "mqtt_client" ("id" uuid not null, "site_id" uuid not null, "name" varchar(80) not null, "username" varchar(63) not null, "password_hash" varchar(64) not null, "permissions" text[] not null, "cluster_ids" uuid[] null, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`,
    );
    this.addSql(`alter table "mqtt_client" add constraint "mqtt_client_username_unique" unique ("username");`);
    this.addSql(`create index "mqtt_client_site_id_name_index" on "mqtt_client" ("site_id", "name");`);

    this.addSql(
      `create table "cluster" ("id" uuid not null, "site_id" uuid not null, "key" varchar(63) not null, "name" varchar(80) not null, "description" text null, "tags" text[] not null, "unassigned" boolean not null default false, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`,
    );
    this.addSql(`alter table "cluster" add constraint "cluster_key_unique" unique ("key");`);
    this.addSql(`create index "cluster_site_id_name_index" on "cluster" ("site_id", "name");`);

    this.addSql(
      `create table "enrolment" ("id" uuid not null, "site_id" uuid not null, "cluster_id" uuid not null, "secret_hash" varchar(64) not null, "uses_left" int not null, "expires_at" timestamptz not null, "created_by" varchar(80) not null, "created_at" timestamptz not null, primary key ("id"));`,
    );
    this.addSql(`alter table "enrolment" add constraint "enrolment_secret_hash_unique" unique ("secret_hash");`);
    this.addSql(`create index "enrolment_site_id_expires_at_index" on "enrolment" ("site_id", "expires_at");`);

    this.addSql(
      `create table "device" ("id" uuid not null, "site_id" uuid not null, "cluster_id" uuid not null, "key" varchar(63) not null, "name" varchar(80) not null, "mac" varchar(17) not null, "address" varchar(253) null, "os" varchar(16) not null, "enabled" boolean not null, "description" text null, "tags" text[] not null, "secure_on" varchar(17) null, "wake_addresses" text[] not null, "wake_ports" int[] not null, "wake_window_seconds" int null, "watch_icmp" boolean not null, "watch_arp" boolean not null, "watch_tcp_ports" int[] not null, "watch_interval_seconds" int not null, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`,
    );
    this.addSql(`alter table "device" add constraint "device_key_unique" unique ("key");`);
    this.addSql(`create index "device_site_id_name_index" on "device" ("site_id", "name");`);
    this.addSql(`create index "device_cluster_id_index" on "device" ("cluster_id");`);
    this.addSql(`alter table "device" add constraint "device_mac_unique" unique ("site_id", "mac");`);
    this.addSql(`create or replace function "device_device_keeps_cluster_of_agents_fn"() returns trigger as \$\$ begin if new.cluster_id <> old.cluster_id and exists (
        select from device_agent l join agent a on a.id = l.agent_id where l.device_id = new.id and a.cluster_id <> new.cluster_id
      ) then raise exception 'a device''s agents are in the device''s cluster' using errcode = 'check_violation', constraint = 'same_cluster'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "device_keeps_cluster_of_agents" AFTER UPDATE on "device" for each ROW execute function "device_device_keeps_cluster_of_agents_fn"();`,
    );

    this.addSql(
      `create table "agent" ("id" uuid not null, "site_id" uuid not null, "cluster_id" uuid not null, "key" varchar(63) not null, "name" varchar(80) not null, "hostname" varchar(253) not null, "os" varchar(16) not null, "arch" varchar(32) not null, "version" varchar(40) not null, "interfaces" jsonb not null, "capabilities" text[] not null, "token_hash" varchar(64) not null, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`,
    );
    this.addSql(`alter table "agent" add constraint "agent_key_unique" unique ("key");`);
    this.addSql(`create index "agent_site_id_name_index" on "agent" ("site_id", "name");`);
    this.addSql(`create index "agent_cluster_id_index" on "agent" ("cluster_id");`);
    this.addSql(`create or replace function "agent_agent_keeps_cluster_of_devices_fn"() returns trigger as \$\$ begin if new.cluster_id <> old.cluster_id and exists (
        select from device_agent l join device d on d.id = l.device_id where l.agent_id = new.id and d.cluster_id <> new.cluster_id
      ) then raise exception 'a device''s agents are in the device''s cluster' using errcode = 'check_violation', constraint = 'same_cluster'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "agent_keeps_cluster_of_devices" AFTER UPDATE on "agent" for each ROW execute function "agent_agent_keeps_cluster_of_devices_fn"();`,
    );

    this.addSql(
      `create table "device_agent" ("device_id" uuid not null, "agent_id" uuid not null, "site_id" uuid not null, primary key ("device_id", "agent_id"));`,
    );
    this.addSql(`create index "device_agent_agent_id_index" on "device_agent" ("agent_id");`);
    this.addSql(`create index "device_agent_site_id_index" on "device_agent" ("site_id");`);
    this.addSql(
      `create or replace function "device_agent_device_agent_same_cluster_fn"() returns trigger as \$\$ begin perform 1 from device d join agent a on a.cluster_id = d.cluster_id where d.id = new.device_id and a.id = new.agent_id for share of d, a;       if not found then raise exception 'a device''s agents are in the device''s cluster' using errcode = 'check_violation', constraint = 'same_cluster'; end if;       return new; end; \$\$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "device_agent_same_cluster" BEFORE INSERT OR UPDATE on "device_agent" for each ROW execute function "device_agent_device_agent_same_cluster_fn"();`,
    );

    this.addSql(
      `create table "user" ("id" uuid not null, "username" varchar(50) not null, "email" varchar(254) null, "full_name" varchar(120) null, "role" varchar(16) not null, "enabled" boolean not null default true, "password_hash" text not null, "created_at" timestamptz not null, "last_login_at" timestamptz null, primary key ("id"));`,
    );
    this.addSql(`create unique index "user_username_unique" on "user" (lower("username"));`);

    this.addSql(
      `create table "session" ("id" uuid not null, "user_id" uuid not null, "created_at" timestamptz not null, "expires_at" timestamptz not null, "address" varchar(64) null, "user_agent" varchar(200) null, primary key ("id"));`,
    );
    this.addSql(`create index "session_user_id_index" on "session" ("user_id");`);
    this.addSql(`create index "session_expires_at_index" on "session" ("expires_at");`);

    this.addSql(
      `create table "wake" ("id" uuid not null, "site_id" uuid not null, "device_id" uuid not null, "requested_at" timestamptz not null, "requested_by" varchar(80) not null, "stage" varchar(16) not null, "finished_at" timestamptz null, "seconds" double precision null, "evidence" jsonb null, "stages" jsonb not null, primary key ("id"));`,
    );
    this.addSql(`create index "wake_site_id_requested_at_index" on "wake" ("site_id", "requested_at");`);
    this.addSql(`create index "wake_device_id_requested_at_index" on "wake" ("device_id", "requested_at");`);
    this.addSql(`create index "wake_open_index" on "wake" ("id") where "finished_at" is null;`);

    this.addSql(
      `alter table "mqtt_client" add constraint "mqtt_client_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );

    this.addSql(
      `alter table "cluster" add constraint "cluster_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );

    this.addSql(
      `alter table "enrolment" add constraint "enrolment_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(
      `alter table "enrolment" add constraint "enrolment_cluster_id_foreign" foreign key ("cluster_id") references "cluster" ("id") on delete cascade;`,
    );

    this.addSql(
      `alter table "device" add constraint "device_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(
      `alter table "device" add constraint "device_cluster_id_foreign" foreign key ("cluster_id") references "cluster" ("id");`,
    );

    this.addSql(
      `alter table "agent" add constraint "agent_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(
      `alter table "agent" add constraint "agent_cluster_id_foreign" foreign key ("cluster_id") references "cluster" ("id");`,
    );

    this.addSql(
      `alter table "device_agent" add constraint "device_agent_device_id_foreign" foreign key ("device_id") references "device" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "device_agent" add constraint "device_agent_agent_id_foreign" foreign key ("agent_id") references "agent" ("id") on update cascade on delete cascade;`,
    );
    this.addSql(
      `alter table "device_agent" add constraint "device_agent_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );

    this.addSql(
      `alter table "session" add constraint "session_user_id_foreign" foreign key ("user_id") references "user" ("id") on delete cascade;`,
    );

    this.addSql(
      `alter table "wake" add constraint "wake_site_id_foreign" foreign key ("site_id") references "site" ("id");`,
    );
    this.addSql(
      `alter table "wake" add constraint "wake_device_id_foreign" foreign key ("device_id") references "device" ("id") on delete cascade;`,
    );
  }
}
