-- KEYS: claims of items
local at = now()
local answer = {}
for index, claim in ipairs(KEYS) do
  demand(claim, 'hash')
  local found = redis.call('HMGET', claim, 'token', 'side', 'epoch', 'holder', 'state', 'until')
  local token, side, epoch, holder, state, ends = unpack(found)
  local left = state == 'held' and ends - at or 0
  if state == 'held' and left <= 0 then state, left = 'expired', -left end
  answer[index] = token and {token, side, epoch, holder, state, left} or false
end
return answer
