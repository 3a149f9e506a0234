-- What is due in a tenant, and rows of a tenant by their ids. The second SQLite alone needs; the two schemas are one.
CREATE INDEX object_tenant_due ON object (tenant, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX record_tenant_due ON record (tenant, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX object_tenant_id ON object (tenant, id);
CREATE INDEX record_tenant_id ON record (tenant, id);
