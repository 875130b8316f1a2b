dnl SPDX-License-Identifier: ISC
dnl Checks of configure.ac. A library that is missing is remembered with its
dnl Debian package; MG_REPORT_MISSING then names all of them in one message.

dnl MG_MISSING(WHAT, DEBIAN-PACKAGE)
AC_DEFUN([MG_MISSING], [mg_missing="$mg_missing
  $1: apt-get install $2"
mg_packages="$mg_packages $2"])

dnl MG_REQUIRE_PKG(VARIABLE, MODULE [>= VERSION], DEBIAN-PACKAGE)
dnl Sets VARIABLE_CFLAGS and VARIABLE_LIBS from pkg-config.
AC_DEFUN([MG_REQUIRE_PKG], [PKG_CHECK_MODULES([$1], [$2], [],
	[MG_MISSING([$2], [$3])])])

dnl MG_REQUIRE_LIB(VARIABLE, HEADER, LIBRARY, FUNCTION, DEBIAN-PACKAGE)
dnl For a library without a pkg-config file: its header and one function. Sets
dnl VARIABLE_LIBS.
AC_DEFUN([MG_REQUIRE_LIB], [
	mg_found=no
	AC_CHECK_HEADER([$2], [AC_CHECK_LIB([$3], [$4], [mg_found=yes], [], [-lpthread])])
	AS_IF([test $mg_found = yes], [$1_LIBS=-l$3], [MG_MISSING([$2 and -l$3], [$5])])
	AC_SUBST([$1_LIBS])
])

AC_DEFUN([MG_REPORT_MISSING], [
	AS_IF([test -n "$mg_missing"], [AC_MSG_ERROR([missing:$mg_missing
or all of them: apt-get install$mg_packages])])
])

dnl MG_CHECK_CFLAGS(VARIABLE, FLAG...)
dnl Adds each flag that compiler and linker take to VARIABLE.
AC_DEFUN([MG_CHECK_CFLAGS], [
	for mg_flag in $2; do
		AC_MSG_CHECKING([whether $CC takes $mg_flag])
		mg_saved=$CFLAGS
		CFLAGS="$CFLAGS -Werror $mg_flag"
		AC_LINK_IFELSE([AC_LANG_PROGRAM()],
			[AC_MSG_RESULT([yes]); $1="$$1 $mg_flag"],
			[AC_MSG_RESULT([no])])
		CFLAGS=$mg_saved
	done
	AC_SUBST([$1])
])

dnl MG_CHECK_FORTIFY(VARIABLE)
dnl glibc checks bounds only in optimised code; a level that the user or the
dnl distribution chose stays.
AC_DEFUN([MG_CHECK_FORTIFY], [
	AC_MSG_CHECKING([whether to add -D_FORTIFY_SOURCE=2])
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#if !defined __OPTIMIZE__ || defined _FORTIFY_SOURCE
#error not wanted
#endif
]])],
		[AC_MSG_RESULT([yes]); $1="-D_FORTIFY_SOURCE=2"],
		[AC_MSG_RESULT([no])])
	AC_SUBST([$1])
])
