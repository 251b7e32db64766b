-- KEYS: discrepancies, fingerprints
-- ARGV: where to begin, how many
local kept, fingerprints = unpack(KEYS)
demand(kept, 'hash')
demand(fingerprints, 'zset')
local answer = {}
for index, fingerprint in ipairs(redis.call('ZRANGEBYLEX', fingerprints, ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
  answer[index] = redis.call('HMGET', kept, fingerprint, fingerprint .. ':n', fingerprint .. ':first', fingerprint .. ':last')
end
return answer
