import { Migration } from "@mikro-orm/migrations";

export class Migration20261121175124_brokers_and_discovery extends Migration {
  override name = "Migration20261121175124_brokers_and_discovery";

  override up(): void | Promise<void> {
    this.addSql(`alter table "discovery_config" add "published_at" timestamptz null;`);

    this.addSql(`alter table "mqtt_client" add "mosquitto_hash" varchar(200) null;`);

    this.addSql(`alter table "agent" add "mosquitto_hash" varchar(200) null;`);
  }
}
