-- KEYS: claim of the item, leases
-- ARGV: item, token, what to do, and its microseconds (renew) or milliseconds (complete; empty for ever)
local claim, leases = unpack(KEYS)
local item, token, act, lasts = unpack(ARGV)

demand(claim, 'hash', {'HSET', claim, 'state', act}, {'PEXPIRE', claim, '1'})
demand(leases, 'zset', {'ZADD', leases, '0', item}, {'ZREM', leases, item})
local state, ends, present = unpack(redis.call('HMGET', claim, 'state', 'until', 'token'))
local mine = present == token

if act ~= 'held' and state == act and mine then
  -- Written again, so that replicas which are waited for have it.
  redis.call('HSET', claim, 'state', act)
  return 'done'
end
if state == 'completed' then return 'completed' end
local at = now()
if state ~= 'held' or not mine or at >= tonumber(ends) then return 'lost' end

if act == 'held' then
  local text = string.format('%.0f', at + lasts)
  redis.call('HSET', claim, 'until', text)
  redis.call('ZADD', leases, text, item)
  return 'done'
end
redis.call('HSET', claim, 'state', act)
redis.call('ZREM', leases, item)
if act == 'completed' and lasts ~= '' then redis.call('PEXPIRE', claim, lasts) end
return 'done'
