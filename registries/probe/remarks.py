"""The sentences beside a verdict of the connection test, in Chinese and English, as data: what is wrong with an address
or a credential, warnings, the view of nodes, steps and causes."""

from .text import Text

ADDRESS_PROBLEMS: dict[str, Text] = {
    "empty": Text(
        "缺少主机名；填写「主机名[:端口]」，例如 harbor.example.com:8443",
        "The host name is missing; enter host[:port], for example harbor.example.com:8443",
    ),
    "whitespace_inside": Text("地址中有空格或换行；请去掉", "The address contains white space; remove it"),
    "whole_command": Text(
        "这是一条完整的命令；此处只填其中的仓库地址，用户名和密码填在各自的输入框",
        "This is a whole command; enter only the registry's address here, user name and password in their own fields",
    ),
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
    "backslash": Text("地址不能包含反斜杠 \\；请去掉", "An address must not contain a backslash; remove it"),
    "zone_id": Text(
        "IPv6 地址不能带 % 区域标识；删除 % 及其后的内容",
        "An IPv6 address must not have a zone; remove % and everything after it",
    ),
    "underscore": Text(
        "主机名不能包含下划线；使用不含下划线的名称",
        "A host name must not contain an underscore; use a name without one",
    ),
    "bad_label": Text(
        "「{part}」不能作为主机名的一段；每段只用字母、数字和中间的连字符",
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
        "节点的 hosts.toml 对该仓库设置了 skip_verify，节点不校验证书；如需同样测试，为该仓库开启「跳过证书校验」",
        "The hosts.toml of the nodes sets skip_verify for this registry, so the nodes do not verify its certificate; "
        "to test in the same way, turn on “skip verification” for this registry",
    ),
    "nodes_have_mirrors": Text(
        "节点的 hosts.toml 为该仓库配置了镜像加速（mirror），containerd 会把用户名和密码也发给它；请使用只读的访问令牌",
        "The hosts.toml of the nodes has a mirror for this registry, and containerd sends it this user name and "
        "password, too; use a read-only access token",
    ),
    "basic_not_tested": Text(
        "仓库同时提供 Basic 和 Bearer，本次测试只验证了 Bearer；Docker 节点会用 Basic，Basic 排在前面时 CRI-O 节点也会",
        "The registry offers Basic and Bearer, and this test proved Bearer only; nodes with Docker use Basic, and so "
        "do nodes with CRI-O if it comes first",
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
    "old_password_works": Text(
        "旧密码目前仍然可用；待各处都换成新密码后，再到仓库吊销旧密码",
        "The old password still works; revoke it at the registry once everything uses the new one",
    ),
    "old_password_same": Text(
        "这就是已保存的密码，保存后没有变化；请勿在仓库吊销它",
        "This is the password that is stored already: saving it changes nothing. Do not revoke it at the registry",
    ),
    "old_password_refused": Text(
        "仓库已不接受旧密码，保存之前无法拉取镜像",
        "The registry refuses the old password: until you save, images cannot be pulled",
    ),
}

NODE_VIEWS: dict[str, Text] = {
    "challenge_not_read": Text(
        "节点无法拉取：containerd 和 docker 读不懂 WWW-Authenticate；请让仓库或反向代理每行只写一种认证方式，"
        "realm 只写一次并加双引号，等号两侧不留空格",
        "Nodes cannot pull: containerd and docker do not understand WWW-Authenticate; let the registry or the proxy "
        "write one scheme on each line, with one realm in double quotes and no space around the equals sign",
    ),
    "basic_refused": Text(
        "Docker 节点无法拉取，Basic 排在前面时 CRI-O 节点也无法拉取：仓库同时提供 Basic 和 Bearer，这些节点会用 Basic，"
        "仓库却不接受；请从 WWW-Authenticate 中去掉 Basic",
        "Nodes with Docker cannot pull, and nodes with CRI-O neither if Basic comes first: the registry offers Basic "
        "and Bearer, these nodes use Basic, and the registry does not accept it; remove Basic from WWW-Authenticate",
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
"""Why some nodes fail though the test succeeds, by NodeView."""

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
