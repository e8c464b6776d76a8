import { Migration } from "@mikro-orm/migrations";

export class Migration20261121182114_broker_store extends Migration {
  override name = "Migration20261121182114_broker_store";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "mqtt_session" ("id" varchar(64) not null, "client_id" text not null, "site_id" uuid not null, "principal_id" text not null, "seconds" int not null, "left_at" timestamptz(3) null, "subscriptions" jsonb not null, "awaiting_pubrel" jsonb not null, "will" jsonb null, primary key ("id")) with (fillfactor = 50);`,
    );
    this.addSql(`create index "mqtt_session_site_id_index" on "mqtt_session" ("site_id");`);

    this.addSql(
      `create table "mqtt_retained" ("topic" text not null, "site_id" uuid not null, "principal_id" text not null, "about_site_id" uuid null, "payload" bytea not null, "qos" smallint not null, "properties" jsonb null, "expires_at" timestamptz(3) null, primary key ("topic")) with (fillfactor = 50);`,
    );
    this.addSql(`create index "mqtt_retained_site_id_index" on "mqtt_retained" ("site_id");`);

    this.addSql(
      `create table "mqtt_queued" ("session_id" varchar(64) not null, "number" bigint not null, "site_id" uuid not null, "packet_id" int not null, "topic" text not null, "payload" bytea not null, "properties" jsonb null, "retain" boolean not null, "identifiers" jsonb not null, "about_site_id" text null, "expires_at" timestamptz(3) null, primary key ("session_id", "number"));`,
    );
    this.addSql(`create index "mqtt_queued_site_id_index" on "mqtt_queued" ("site_id");`);

    this.addSql(
      `alter table "mqtt_session" add constraint "mqtt_session_site_id_foreign" foreign key ("site_id") references "site" ("id") on delete cascade;`,
    );
    this.addSql(`alter table "mqtt_session" enable row level security;`);
    this.addSql(`alter table "mqtt_session" force row level security;`);
    this.addSql(
      `create policy "mqtt_session_of_site" on "mqtt_session" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "mqtt_session_of_hub" on "mqtt_session" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "mqtt_retained" add constraint "mqtt_retained_site_id_foreign" foreign key ("site_id") references "site" ("id") on delete cascade;`,
    );
    this.addSql(`alter table "mqtt_retained" enable row level security;`);
    this.addSql(`alter table "mqtt_retained" force row level security;`);
    this.addSql(
      `create policy "mqtt_retained_of_site" on "mqtt_retained" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "mqtt_retained_of_hub" on "mqtt_retained" to "powerbeacon_hub" using (true) with check (true);`,
    );

    this.addSql(
      `alter table "mqtt_queued" add constraint "mqtt_queued_session_id_foreign" foreign key ("session_id") references "mqtt_session" ("id") on delete cascade;`,
    );
    this.addSql(
      `alter table "mqtt_queued" add constraint "mqtt_queued_site_id_foreign" foreign key ("site_id") references "site" ("id") on delete cascade;`,
    );
    this.addSql(`alter table "mqtt_queued" enable row level security;`);
    this.addSql(`alter table "mqtt_queued" force row level security;`);
    this.addSql(
      `create policy "mqtt_queued_of_site" on "mqtt_queued" to "powerbeacon_request" using (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid) with check (site_id = nullif(current_setting('powerbeacon.site', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "mqtt_queued_of_hub" on "mqtt_queued" to "powerbeacon_hub" using (true) with check (true);`,
    );
  }
}
