"""All sentences of the connection test, in Chinese and English, as data."""

from .reason import Reason
from .text import Text

MESSAGES: dict[Reason, Text] = {
    Reason.OK: Text("连接成功", "Connected"),
    Reason.OK_UNVERIFIED: Text(
        "连接成功，但该仓库未校验凭证，无法确认密码是否正确",
        "Connected, but the registry does not check credentials",
    ),
    Reason.INVALID_DOMAIN: Text("域名格式不正确", "Invalid registry address"),
    Reason.INVALID_CREDENTIALS_FORMAT: Text(
        "用户名或密码含不允许的字符或为空", "Empty or malformed user name or password"
    ),
    Reason.PLAIN_HTTP_FORBIDDEN: Text("策略禁止使用 HTTP 明文访问", "Plain HTTP is not allowed"),
    Reason.DNS_FAILED: Text("域名无法解析", "Host name not found"),
    Reason.BLOCKED_ADDRESS: Text("该地址被安全策略禁止访问", "Address refused by policy"),
    Reason.CONNECTION_REFUSED: Text("连接被拒绝，端口未监听", "Connection refused"),
    Reason.NETWORK_UNREACHABLE: Text("网络不可达", "Network unreachable"),
    Reason.TIMEOUT: Text("连接或响应超时", "Timed out"),
    Reason.CONNECTION_RESET: Text("服务器中断了连接", "Connection closed by the server"),
    Reason.PROXY_ERROR: Text("代理服务器返回错误", "Proxy error"),
    Reason.TLS_UNTRUSTED: Text("证书不受信任（自签名或未知 CA）", "Certificate not trusted"),
    Reason.TLS_EXPIRED: Text("证书已过期或尚未生效", "Certificate expired or not yet valid"),
    Reason.TLS_HOSTNAME_MISMATCH: Text("证书与域名不匹配", "Certificate does not match the host name"),
    Reason.TLS_HANDSHAKE_FAILED: Text("TLS 握手失败", "TLS handshake failed"),
    Reason.PLAIN_HTTP_SERVER: Text("该端口是 HTTP 服务，不是 HTTPS", "The server speaks plain HTTP"),
    Reason.HTTPS_REQUIRED: Text("该端口要求 HTTPS", "The server requires HTTPS"),
    Reason.NOT_A_REGISTRY: Text("该地址不是镜像仓库", "Not a container registry"),
    Reason.REDIRECT_BLOCKED: Text("仓库跳转到其他地址，已停止以保护凭证", "Redirected elsewhere; stopped"),
    Reason.BAD_CHALLENGE: Text("仓库返回的认证信息不完整", "Invalid authentication challenge"),
    Reason.UNSUPPORTED_AUTH: Text("不支持的认证方式", "Unsupported authentication scheme"),
    Reason.UNEXPECTED_RESPONSE: Text("仓库返回意外响应", "Unexpected response"),
    Reason.REALM_INSECURE: Text(
        "令牌服务使用 HTTP，已拒绝发送密码", "The token service is plain HTTP; password not sent"
    ),
    Reason.REALM_BLOCKED: Text("令牌服务地址被安全策略禁止", "Token service address refused"),
    Reason.TOKEN_SERVICE_UNREACHABLE: Text(
        "无法访问令牌服务 {host}（{cause}）", "Token service {host} unreachable ({cause})"
    ),
    Reason.TOKEN_SERVICE_ERROR: Text("令牌服务异常", "The token service failed"),
    Reason.TOKEN_INVALID_RESPONSE: Text("令牌服务返回内容无效", "Invalid token response"),
    Reason.TOKEN_REJECTED: Text(
        "已取得令牌但仓库不认可，通常不是密码问题", "Token issued but refused by the registry"
    ),
    Reason.BAD_CREDENTIALS: Text("用户名或密码错误", "Wrong user name or password"),
    Reason.CREDENTIALS_EXPIRED: Text("凭证已过期", "Credentials expired"),
    Reason.PAT_REQUIRED: Text("需使用访问令牌代替密码", "An access token is required"),
    Reason.ACCESS_DENIED: Text("仓库拒绝该账号或来源 IP（403）", "Denied (403)"),
    Reason.RATE_LIMITED: Text("请求过于频繁，请 {n} 秒后再试", "Rate limited; retry in {n} s"),
    Reason.PROBE_IMAGE_DENIED: Text("账号无法拉取探测镜像", "The account may not pull the probe image"),
    Reason.SERVER_ERROR: Text("仓库服务异常（5xx）", "Registry server error"),
}

HINTS: dict[Reason, Text] = {
    Reason.OK: Text("凭证已通过验证", "The credentials were verified"),
    Reason.OK_UNVERIFIED: Text(
        "匿名可访问；如需校验请在仓库侧关闭匿名访问",
        "Anonymous access is allowed; turn it off in the registry to check credentials",
    ),
    Reason.INVALID_DOMAIN: Text(
        "只填主机名[:端口]，例如 harbor.example.com:8443",
        "Enter only host[:port], for example harbor.example.com:8443",
    ),
    Reason.INVALID_CREDENTIALS_FORMAT: Text(
        "用户名不能含冒号、换行", "A user name must not contain a colon or a line break"
    ),
    Reason.PLAIN_HTTP_FORBIDDEN: Text("改用 https 或联系管理员", "Use https or contact the administrator"),
    Reason.DNS_FAILED: Text(
        "检查拼写、集群 DNS、内网域名", "Check the spelling, the cluster's DNS and internal host names"
    ),
    Reason.BLOCKED_ADDRESS: Text(
        "回环、链路本地、云元数据地址不可用",
        "Loopback, link-local and cloud metadata addresses cannot be used",
    ),
    Reason.CONNECTION_REFUSED: Text(
        "检查端口与服务状态", "Check the port and whether the service is running"
    ),
    Reason.NETWORK_UNREACHABLE: Text("检查路由、防火墙、VPC", "Check routes, firewall and VPC"),
    Reason.TIMEOUT: Text(
        "防火墙丢包、代理、服务过载；阿里云企业版检查公网访问白名单",
        "Check for a firewall that drops packets, a proxy or an overloaded service; "
        "for Aliyun Enterprise check the public access whitelist",
    ),
    Reason.CONNECTION_RESET: Text(
        "中间设备拦截或端口协议不符",
        "A device in between may block the connection, or the port uses another protocol",
    ),
    Reason.PROXY_ERROR: Text("检查代理地址与认证", "Check the address and the credentials of the proxy"),
    Reason.TLS_UNTRUSTED: Text(
        "配置 CA；节点的 certs.d 也要配置",
        "Configure the CA here and in the certs.d folder of the nodes",
    ),
    Reason.TLS_EXPIRED: Text(
        "更新证书，检查服务器与本机时钟",
        "Renew the certificate; check the clocks of the server and of this host",
    ),
    Reason.TLS_HOSTNAME_MISMATCH: Text("使用证书中的域名", "Use a host name from the certificate"),
    Reason.TLS_HANDSHAKE_FAILED: Text(
        "协议版本过低或要求客户端证书", "The protocol version is too old, or a client certificate is required"
    ),
    Reason.PLAIN_HTTP_SERVER: Text(
        "如确需明文，域名前加 http://", "To use unencrypted HTTP, put http:// before the host"
    ),
    Reason.HTTPS_REQUIRED: Text("去掉 http:// 或改为 https://", "Remove http:// or change it to https://"),
    Reason.NOT_A_REGISTRY: Text(
        "端口或域名错误、登录页拦截；Nexus 用仓库连接器端口；阿里云用“访问凭证”页的地址",
        "Check host and port, and whether a login page intercepts the request; "
        "Nexus: use the port of the repository connector; Aliyun: use the address from its page Access Credential",
    ),
    Reason.REDIRECT_BLOCKED: Text("直接填写跳转后的域名", "Enter the host of the redirect target"),
    Reason.BAD_CHALLENGE: Text(
        "反向代理是否去掉了 WWW-Authenticate；检查 realm",
        "Check whether a reverse proxy removes the WWW-Authenticate header, and whether the realm is correct",
    ),
    Reason.UNSUPPORTED_AUTH: Text("仅支持 Basic 与 Bearer", "Only Basic and Bearer are supported"),
    Reason.UNEXPECTED_RESPONSE: Text("查看详情中的状态码", "See the status code in the details"),
    Reason.REALM_INSECURE: Text(
        "Harbor：将 external_url 设为 https 并重新部署", "Harbor: set external_url to https and deploy again"
    ),
    Reason.REALM_BLOCKED: Text(
        "检查仓库 realm / external_url", "Check the realm or external_url of the registry"
    ),
    Reason.TOKEN_SERVICE_UNREACHABLE: Text(
        "realm 的端口或内网地址是否正确", "Check the port or internal address of the realm"
    ),
    Reason.TOKEN_SERVICE_ERROR: Text("联系仓库管理员", "Contact the administrator of the registry"),
    Reason.TOKEN_INVALID_RESPONSE: Text(
        "被网关或登录页拦截", "A gateway or a login page may intercept the request"
    ),
    Reason.TOKEN_REJECTED: Text(
        "检查时钟、签名密钥、service / issuer", "Check the clocks, the signing key, service and issuer"
    ),
    Reason.BAD_CREDENTIALS: Text(
        "Harbor OIDC 用 CLI 密钥；阿里云用固定密码；机器人账号含 robot$ 前缀",
        "Harbor with OIDC: use the CLI secret; Aliyun: use the fixed registry password; "
        "robot accounts: include the robot$ prefix",
    ),
    Reason.CREDENTIALS_EXPIRED: Text(
        "ECR 令牌 12 小时失效；重新生成", "ECR tokens last 12 hours; generate new ones"
    ),
    Reason.PAT_REQUIRED: Text(
        "账号启用了两步验证，请创建 PAT",
        "The account uses two-factor authentication; create a personal access token",
    ),
    Reason.ACCESS_DENIED: Text(
        "令牌失效或缺少权限、IP 白名单、账号停用",
        "Check whether the token is revoked or lacks permission, the IP whitelist, and whether the account is disabled",
    ),
    Reason.RATE_LIMITED: Text(
        "勿反复重试，失败过多会被锁定（Docker Hub 约 15 分钟）",
        "Do not retry repeatedly: too many failures lock the account (Docker Hub: about 15 minutes)",
    ),
    Reason.PROBE_IMAGE_DENIED: Text(
        "检查用户名、密码和拉取权限", "Check user name, password and the right to pull"
    ),
    Reason.SERVER_ERROR: Text("稍后重试或联系管理员", "Try again later or contact the administrator"),
}

ADDRESS_PROBLEMS: dict[str, Text] = {
    "empty": Text(
        "缺少主机名；填写“主机名[:端口]”，例如 harbor.example.com:8443",
        "The host name is missing; enter host[:port], for example harbor.example.com:8443",
    ),
    "whitespace_inside": Text("地址中有空格或换行；请删除", "The address contains white space; remove it"),
    "control_character": Text(
        "地址包含不可见字符 {part}；请手动重新输入",
        "The address contains an invisible character ({part}); type it again",
    ),
    "full_width": Text(
        "地址包含全角符号 {part}；改用半角符号",
        "The address contains the full-width character {part}; use the half-width form",
    ),
    "bad_scheme": Text(
        "只能以 https:// 或 http:// 开头，也可以不写",
        "The address can start with https:// or http:// only, or without a scheme",
    ),
    "user_info": Text(
        "地址中不能含用户名或 @；用户名和密码填在各自的输入框",
        "An address must not contain a user name or @; enter user name and password in their own fields",
    ),
    "query_or_fragment": Text(
        "地址不能包含 ? 或 #；删除该符号及其后的内容",
        "An address must not contain ? or #; remove it and everything after it",
    ),
    "backslash": Text("地址不能包含反斜杠 \\；请删除", "An address must not contain a backslash; remove it"),
    "zone_id": Text(
        "IPv6 地址不能带 % 区域标识；删除 % 及其后的内容",
        "An IPv6 address must not have a zone; remove % and everything after it",
    ),
    "underscore": Text(
        "主机名不能包含下划线；使用不含下划线的名称",
        "A host name must not contain an underscore; use a name without one",
    ),
    "bad_label": Text(
        "“{part}” 不能作为主机名的一段；每段只用字母、数字和中间的连字符",
        "“{part}” cannot be part of a host name; use letters, digits and inner hyphens",
    ),
    "too_long": Text(
        "主机名过长；每段最多 63 个字符，总共最多 253 个",
        "The host name is too long; at most 63 characters a part and 253 in all",
    ),
    "bad_port": Text("端口必须是 1 到 65535 的数字", "The port must be a number from 1 to 65535"),
    "bad_ip": Text(
        "IP 地址不完整或格式不规范；IPv4 请写成四段十进制数，IPv6 请加方括号",
        "The IP address is incomplete or not in its normal form; write IPv4 as four decimal numbers, IPv6 in brackets",
    ),
}

CREDENTIAL_PROBLEMS: dict[str, Text] = {
    "username_empty": Text("填写用户名", "Enter a user name"),
    "username_colon": Text("用户名不能包含冒号；请删除", "A user name must not contain a colon; remove it"),
    "username_control_character": Text(
        "用户名包含换行、制表符或其他控制字符；请删除",
        "The user name contains a line break, a tab or another control character; remove it",
    ),
    "username_not_text": Text(
        "用户名包含无法编码的字符；请重新输入",
        "The user name contains characters that cannot be encoded; type it again",
    ),
    "password_empty": Text("填写密码", "Enter a password"),
    "password_control_character": Text(
        "密码包含不可见的控制字符；请重新复制粘贴",
        "The password contains an invisible control character; copy it again",
    ),
    "password_not_text": Text(
        "密码包含无法编码的字符；请重新输入",
        "The password contains characters that cannot be encoded; type it again",
    ),
}

WARNINGS: dict[str, Text] = {
    "path_ignored": Text(
        "地址中的路径已忽略：拉取凭证按主机名匹配",
        "The path in the address is ignored: pull secrets match by host",
    ),
    "docker_hub_https": Text(
        "Docker Hub 只用 https 访问，已忽略 http://",
        "Docker Hub is only available over https; http:// is ignored",
    ),
    "redirected_to_https": Text(
        "仓库已从 http 跳转到 https；建议把地址改为 https",
        "The registry redirected from http to https; change the address to https",
    ),
    "tls_not_verified": Text("未校验证书", "The certificate was not verified"),
    "nodes_skip_verification": Text(
        "节点的 hosts.toml 对该仓库设置了 skip_verify，节点不校验证书；如需同样测试，为该仓库开启“跳过证书校验”",
        "The hosts.toml of the nodes sets skip_verify for this registry, so the nodes do not verify its certificate; "
        "to test in the same way, turn on “skip verification” for this registry",
    ),
    "nodes_have_mirrors": Text(
        "节点的 hosts.toml 为该仓库配置了镜像加速（mirror），containerd 会把用户名和密码也发给它；请使用只读的访问令牌",
        "The hosts.toml of the nodes has a mirror for this registry, and containerd sends it this user name and "
        "password, too; use a read-only access token",
    ),
    "password_outer_space": Text(
        "密码首尾有空白字符，请确认是否多粘贴了空格或换行",
        "The password starts or ends with white space; check whether it was pasted by mistake",
    ),
    "password_invisible": Text(
        "密码含有不可见字符（例如零宽空格），请确认是否从聊天或网页中误粘贴",
        "The password contains an invisible character, such as a zero-width space; "
        "check whether it was pasted by mistake",
    ),
}

NODE_VIEWS: dict[str, Text] = {
    "challenge_not_read": Text(
        "节点无法拉取：containerd 和 docker 读不懂 WWW-Authenticate；请让仓库或反向代理每行只写一种认证方式，"
        "realm 只写一次并加双引号，等号两侧不留空格",
        "Nodes cannot pull: containerd and docker do not understand WWW-Authenticate; let the registry or the proxy "
        "write one scheme on each line, with one realm in double quotes and no space around the equals sign",
    ),
    "token_post_refused": Text(
        "containerd 节点无法拉取：令牌服务对 POST 请求返回 HTTP {node_status}，containerd 不会改用 GET；"
        "请让令牌服务对 POST 返回 404 或 405，或实现 OAuth2",
        "Nodes with containerd cannot pull: the token service answers HTTP {node_status} to a POST, and containerd "
        "then does not try GET; let the service answer 404 or 405 to a POST, or implement OAuth2",
    ),
    "token_post_without_access_token": Text(
        "containerd 节点无法拉取：令牌服务对 POST 请求的应答没有 access_token；请让应答同时包含 token 和 access_token",
        "Nodes with containerd cannot pull: the token service's answer to a POST has no access_token; let the answer "
        "contain both token and access_token",
    ),
}
"""Why nodes with containerd fail though the test succeeds, by NodeView."""

STEPS: dict[str, Text] = {
    "resolve": Text("解析域名", "DNS lookup"),
    "connect": Text("建立连接", "Connect"),
    "tls": Text("TLS 握手", "TLS"),
    "ping": Text("访问仓库", "Call registry"),
    "token": Text("获取令牌", "Get token"),
    "confirm": Text("确认凭证", "Credential"),
    "image": Text("检查镜像", "Check image"),
}

CAUSES: dict[str, Text] = {
    "dns_timeout": Text("DNS 服务器没有及时应答", "The DNS server did not answer in time"),
    "bad_proxy": Text(
        "代理地址无效；只支持 http://主机:端口",
        "The proxy's address is invalid; only http://host:port is supported",
    ),
    "proxy_names": Text(
        "经代理访问时也在本机解析域名；若只有代理能解析域名，设置 CONSOLE_PROBE_PROXY_RESOLVES=1",
        "Names are resolved here also behind a proxy; if only the proxy can resolve them, set "
        "CONSOLE_PROBE_PROXY_RESOLVES=1",
    ),
    "proxy_refuses": Text(
        "代理拒绝了到该 IP 地址和端口的隧道；若代理只接受域名，设置 CONSOLE_PROBE_PROXY_RESOLVES=1",
        "The proxy refused a tunnel to this IP address and port; if it only takes names, set "
        "CONSOLE_PROBE_PROXY_RESOLVES=1",
    ),
    "realm_inside": Text(
        "仓库在公网，令牌服务却在内网地址；请使用仓库的内网地址",
        "The registry has a public address and the token service a private one; "
        "use the internal address of the registry",
    ),
    "realm_elsewhere": Text(
        "令牌服务位于内网，只能与仓库同主机或同一上级域名；其他主机须由管理员加入 CONSOLE_PROBE_REALM_HOSTS",
        "A token service on the inside must be on the registry's host or under the same parent domain; "
        "an administrator can add other hosts to CONSOLE_PROBE_REALM_HOSTS",
    ),
    "redirect_port": Text(
        "仓库跳转到另一个端口，密码不会发送到那里；请填写该 https 地址和端口",
        "The registry redirects to another port, where the password is not sent; "
        "enter the https address with that port",
    ),
    "bad_ca": Text("配置的 CA 证书无法读取", "The configured CA certificate cannot be read"),
    "left_alone": Text(
        "该仓库此前要求暂停访问，本次未发送任何请求",
        "The registry had asked for a pause, so no request was sent",
    ),
}
