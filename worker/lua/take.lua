-- A worker takes what may pass now: let through and put under a lease in one step.
-- ARGV: as admit.lua says; the newest version of a record that the worker knows, how long a newer one is left to others
-- (ms), the worker's name, the number of this take.
-- Returns {milliseconds until the next look, or -1, 1 where a gate is not configured, {id, as claim.lua says...}...}; for the
-- same number, whom the answer did not reach is given the same again.
local version, left_for, by, number = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8]
local key = P .. 'taken:' .. by

local function take()
  local before = cjson.decode(redis.call('GET', key) or '[]')
  if before[1] == number then return '0', 0, before[2] end
  local wait, unconfigured, ids = admit()
  if #ids > 0 then redis.call('SET', key, cjson.encode({number, ids}), 'PX', int(lease)) end
  return wait, unconfigured, ids
end

-- A record at which the script breaks off does not stand in the way of the others.
local function told(id)
  local sound, answer = pcall(claim, id, lease, version, left_for, by .. number)
  if not sound then answer = {'unreadable', '-'} end
  table.insert(answer, 1, id)
  return answer
end

local wait, unconfigured, ids = take()
local answers = {wait, unconfigured}
for _, id in ipairs(ids) do answers[#answers + 1] = told(id) end
return answers
