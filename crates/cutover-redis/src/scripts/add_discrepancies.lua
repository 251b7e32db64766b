-- KEYS: discrepancies, fingerprints
-- ARGV: how many are kept at most, the largest count, then per discrepancy: fingerprint, sample, occurrences, first and last seen
local kept, fingerprints = unpack(KEYS)
demand(kept, 'hash', {'HSET', kept, 'f', 'v'}, {'HINCRBY', kept, 'f', '1'})
demand(fingerprints, 'zset', {'ZADD', fingerprints, '0', 'f'})
local most, largest = tonumber(ARGV[1]), ARGV[2]

-- Of two decimal numbers without leading zeros: Lua's own would be rounded.
local function less(a, b) return #a < #b or (#a == #b and a < b) end

local function keep(field, given, replaces)
  local found = redis.call('HGET', kept, field)
  if not found or replaces(given, found) then redis.call('HSET', kept, field, given) end
end

local added, merged, dropped = 0, 0, 0
for at = 3, #ARGV, 5 do
  local fingerprint, sample, occurrences, first, last = unpack(ARGV, at, at + 4)
  local known = redis.call('ZSCORE', fingerprints, fingerprint)
  if known then
    merged = merged + 1
  elseif redis.call('ZCARD', fingerprints) >= most then
    dropped = dropped + 1
  else
    added = added + 1
    redis.call('ZADD', fingerprints, 0, fingerprint)
  end
  if known or redis.call('ZSCORE', fingerprints, fingerprint) then
    redis.call('HSETNX', kept, fingerprint, sample)
    local sum = redis.pcall('HINCRBY', kept, fingerprint .. ':n', occurrences)
    if type(sum) == 'table' then redis.call('HSET', kept, fingerprint .. ':n', largest) end
    keep(fingerprint .. ':first', first, less)
    keep(fingerprint .. ':last', last, function(a, b) return less(b, a) end)
  end
end
return {added, merged, dropped}
