-- KEYS: record, audit, operations, and where audit and operations are set aside
-- ARGV: expected epoch and etag, operation, epoch, etag, record, audit entry, channel
local record, audit, operations, audit_aside, operations_aside = unpack(KEYS)
local expected_epoch, expected_etag, operation, epoch, etag, json, entry, channel = unpack(ARGV)
local entry_id = epoch .. '-0'

local as_expected, current = record_is(record, expected_epoch, expected_etag)
demand(record, 'hash', {'HSET', record, 'json', json})
local has_audit = demand(audit, 'stream', {'XADD', audit, entry_id, 'entry', entry})
local has_operations = demand(operations, 'hash', {'HSET', operations, operation, epoch})

local first = redis.call('HGET', operations, operation)
if not first and redis.call('HGET', record, 'operation') == operation then
  first = redis.call('HGET', record, 'epoch')
end
if first then
  -- Written again, so that replicas which are waited for have this and all before it.
  redis.call('HSET', operations, operation, first)
  local found = redis.call('XRANGE', audit, first .. '-0', first .. '-0')[1]
  return {'repeated', found and found[2][2] or false, current}
end
if not as_expected then return {'conflict', false, current} end

-- An audit that does not lead to the record belongs to a record that was lost.
local function set_aside()
  demand(audit_aside, 'none', {'RENAME', audit, audit_aside})
  demand(operations_aside, 'none', {'RENAME', operations, operations_aside})
  if has_audit then redis.call('RENAME', audit, audit_aside) end
  if has_operations then redis.call('RENAME', operations, operations_aside) end
end

local function append() return redis.pcall('XADD', audit, entry_id, 'entry', entry) end

if not current and (has_audit or has_operations) then set_aside() end
local added = append()
if type(added) == 'table' and added.err then
  set_aside()
  added = append()
  if type(added) == 'table' then error(added) end
end
redis.call('HSET', operations, operation, epoch)
redis.call('HSET', record, 'epoch', epoch, 'etag', etag, 'operation', operation, 'json', json)
-- Only a wake-up: a user who may not publish still changes what is stored.
redis.pcall('PUBLISH', channel, epoch)
return {'stored', false, false}
