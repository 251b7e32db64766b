-- What a later step would refuse is refused here, before anything is written: Redis takes nothing back.
local function demand(key, kind, ...)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then
    error({err = 'WRONGTYPE the key holds a ' .. found .. ' where a ' .. kind .. ' belongs'})
  end
  for _, command in ipairs({...}) do
    if not redis.acl_check_cmd(unpack(command)) then
      error({err = 'NOPERM this user may not ' .. command[1] .. ' a key that belongs to the operation'})
    end
  end
  return found ~= 'none'
end

-- The present record, and whether it is the expected one: an empty epoch expects none. Epochs stay texts, because
-- Lua's numbers are exact up to 2^53 only.
local function record_is(key, epoch, etag)
  local present = demand(key, 'hash')
  local found = redis.call('HMGET', key, 'epoch', 'etag', 'json')
  local json = present and (found[3] or '')
  if epoch == '' then return not present, json end
  return found[1] == epoch and found[2] == etag, json
end

-- Microseconds by this server's clock, exact until the year 2255.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
