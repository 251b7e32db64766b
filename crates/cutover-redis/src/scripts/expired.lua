-- KEYS: leases
-- ARGV: how many
demand(KEYS[1], 'zset')
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now()), 'LIMIT', 0, ARGV[1])
