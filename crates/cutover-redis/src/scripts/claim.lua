-- KEYS: record, claim of the item, leases
-- ARGV: expected epoch and etag, item, side, epoch, holder, operation, microseconds
local record, claim, leases = unpack(KEYS)
local expected_epoch, expected_etag, item, side, epoch, holder, operation, lasts = unpack(ARGV)

local as_expected, current = record_is(record, expected_epoch, expected_etag)
demand(claim, 'hash', {'HINCRBY', claim, 'token', '1'}, {'HSET', claim, 'side', side})
demand(leases, 'zset', {'ZADD', leases, '0', item})
if not as_expected then return {'other', false, 0, current} end

local found = redis.call('HMGET', claim, 'state', 'until', 'operation', 'token')
local state, ends, held_by, token = unpack(found)
if state == 'completed' then return {'completed', false, 0, false} end
local at = now()
if state == 'held' and at < tonumber(ends) then
  if held_by ~= operation then return {'held', false, ends - at, false} end
  -- Written again, so that replicas which are waited for have it.
  redis.call('HSET', claim, 'operation', operation)
  return {'granted', token, ends - at, false}
end

-- Its result would be a number that Lua rounds, so the token is read as the text that is stored.
redis.call('HINCRBY', claim, 'token', 1)
local text = string.format('%.0f', at + lasts)
redis.call('HSET', claim, 'state', 'held', 'until', text, 'operation', operation, 'side', side, 'epoch', epoch,
  'holder', holder)
redis.call('ZADD', leases, text, item)
return {'granted', redis.call('HGET', claim, 'token'), tonumber(lasts), false}
