-- Writes a text that was sealed anew, unless it changed or went since it was read. Returns 1 where it was written.
-- ARGV: key, field or '' where the key is no hash, the text as it was read, the text as it is sealed now
local key, field, read, sealed = unpack(ARGV)
if field == '' then
  if redis.call('GET', key) ~= read then return 0 end
  redis.call('SET', key, sealed)
else
  if redis.call('HGET', key, field) ~= read then return 0 end
  redis.call('HSET', key, field, sealed)
end
return 1
