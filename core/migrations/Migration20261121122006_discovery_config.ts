import { Migration } from "@mikro-orm/migrations";

export class Migration20261121122006_discovery_config extends Migration {
  override name = "Migration20261121122006_discovery_config";

  override up(): void | Promise<void> {
    this.addSql(
      `create table "discovery_config" ("topic" text not null, "site_id" uuid not null, "hash" varchar(64) null, primary key ("topic"));`,
    );
  }
}
