import { Migration } from "@mikro-orm/migrations";

export class Migration20261121120006_show_in_home_assistant extends Migration {
  override name = "Migration20261121120006_show_in_home_assistant";

  override up(): void | Promise<void> {
    this.addSql(`alter table "cluster" add "show_in_home_assistant" boolean not null default true;`);

    this.addSql(`alter table "device" add "show_in_home_assistant" boolean not null default true;`);

    this.addSql(`alter table "agent" add "show_in_home_assistant" boolean not null default true;`);
  }
}
