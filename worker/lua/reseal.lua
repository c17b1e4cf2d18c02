-- Writes a text that was sealed anew, unless it changed or went since it was read. Returns 1 where it was written.
-- ARGV: key, 'job' or '' where the key is no record, the text as it was read, the text as it is sealed now
local key, field, read, sealed = unpack(ARGV)
if field == '' then
  if redis.call('GET', key) ~= read then return 0 end
  redis.call('SET', key, sealed)
else
  if whole_job(key, redis.call('HGET', key, field)) ~= read then return 0 end
  keep_job(key, sealed)
end
return 1
