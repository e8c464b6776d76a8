import { Migration } from "@mikro-orm/migrations";

export class Migration20261121163205_same_site extends Migration {
  override name = "Migration20261121163205_same_site";

  override up(): void | Promise<void> {
    this.addSql(`create or replace function "enrolment_enrolment_same_site_fn"() returns trigger as \$\$ begin if not (exists (select from "cluster" o where o.id = new.cluster_id and o.site_id = new.site_id)) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "enrolment_same_site" AFTER INSERT OR UPDATE on "enrolment" for each ROW execute function "enrolment_enrolment_same_site_fn"();`,
    );

    this.addSql(`create or replace function "device_device_same_site_fn"() returns trigger as \$\$ begin if not (exists (select from "cluster" o where o.id = new.cluster_id and o.site_id = new.site_id)) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "device_same_site" AFTER INSERT OR UPDATE on "device" for each ROW execute function "device_device_same_site_fn"();`,
    );

    this.addSql(`create or replace function "device_share_device_share_same_site_fn"() returns trigger as \$\$ begin if not (exists (select from "device" o where o.id = new.device_id and o.site_id = new.site_id)) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "device_share_same_site" AFTER INSERT OR UPDATE on "device_share" for each ROW execute function "device_share_device_share_same_site_fn"();`,
    );

    this.addSql(`create or replace function "cluster_share_cluster_share_same_site_fn"() returns trigger as \$\$ begin if not (exists (select from "cluster" o where o.id = new.cluster_id and o.site_id = new.site_id)) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "cluster_share_same_site" AFTER INSERT OR UPDATE on "cluster_share" for each ROW execute function "cluster_share_cluster_share_same_site_fn"();`,
    );

    this.addSql(`create or replace function "agent_agent_same_site_fn"() returns trigger as \$\$ begin if not (exists (select from "cluster" o where o.id = new.cluster_id and o.site_id = new.site_id)) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "agent_same_site" AFTER INSERT OR UPDATE on "agent" for each ROW execute function "agent_agent_same_site_fn"();`,
    );

    this.addSql(`create or replace function "device_agent_device_agent_same_site_fn"() returns trigger as \$\$ begin if not (exists (select from "device" o where o.id = new.device_id and o.site_id = new.site_id) and exists (select from "agent" o where o.id = new.agent_id and o.site_id = new.site_id)) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;       return new; end; \$\$ language plpgsql;`);
    this.addSql(
      `create trigger "device_agent_same_site" AFTER INSERT OR UPDATE on "device_agent" for each ROW execute function "device_agent_device_agent_same_site_fn"();`,
    );
  }
}
